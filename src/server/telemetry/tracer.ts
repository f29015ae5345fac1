import type { Logger } from 'pino';
import type { Settings } from '../settings/schema.ts';
import { OtlpTracer } from './otlp.ts';
import { NO_TRACER, type Tracer } from './span.ts';

type TraceSettings = Pick<Settings, 'OTEL_EXPORTER_OTLP_ENDPOINT' | 'OTEL_EXPORTER_OTLP_HEADERS'>;

/** The tracer that the settings ask for: none, or one that sends. */
export function tracerOf(settings: TraceSettings, logger: Logger): Tracer {
  const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, OTEL_EXPORTER_OTLP_HEADERS: headers } = settings;
  if (endpoint === undefined) return NO_TRACER;
  return new OtlpTracer({ endpoint, headers: headersOf(headers?.reveal() ?? ''), logger });
}

/** Source: OpenTelemetry's "OTLP exporter configuration": names and values, these with special characters as %XX. */
function headersOf(text: string): Record<string, string> {
  if (text === '') return {};
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=');
      return [pair.slice(0, at), decoded(pair.slice(at + 1))];
    }),
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // no %XX after all
  }
}
