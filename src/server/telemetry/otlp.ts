import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import { Agent } from 'undici';
import { VERSION } from '../version.ts';
import { type Attributes, NO_SPAN, type Span, type SpanKind, type Tracer } from './span.ts';
import { readTraceparent } from './traceparent.ts';

const SEND_EVERY_MS = 5_000;
const LARGEST_BATCH = 512;
/** Spans that wait; more are dropped, so that a collector that is down costs no memory. */
const MOST_WAITING = 2_048;
const ANSWER_WITHIN_MS = 10_000;

/** Source: `SpanKind` and `Status` of OpenTelemetry's trace.proto. */
const KINDS: Readonly<Record<SpanKind, number>> = { server: 2, client: 3 };
const STATUS_ERROR = 2;

interface Ended {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: object[];
  readonly status: { readonly code?: number };
}

interface OtlpParts {
  /** The collector's base URL. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly logger: Logger;
}

/**
 * Sends traces by OTLP over HTTP, as JSON. It is here in place of OpenTelemetry's SDK, which is ten more packages
 * and a third more code for one request every five seconds (docs/ARCHITECTURE.md).
 */
export class OtlpTracer implements Tracer {
  readonly #agent = new Agent({ headersTimeout: ANSWER_WITHIN_MS, bodyTimeout: ANSWER_WITHIN_MS });
  readonly #origin: string;
  readonly #path: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout;
  readonly #waiting: Ended[] = [];
  #dropped = 0;
  #sending: Promise<void> | undefined;

  constructor({ endpoint, headers, logger }: OtlpParts) {
    const url = new URL(`${endpoint}/v1/traces`);
    this.#origin = url.origin;
    this.#path = url.pathname;
    this.#headers = headers;
    this.#logger = logger;
    this.#timer = setInterval(() => void this.#send(), SEND_EVERY_MS).unref();
  }

  /** What a parent records is recorded, what it does not is not; without one, everything is. */
  begin(name: string, kind: SpanKind, traceparent: string | undefined, attributes: Attributes = {}): Span {
    const parent = readTraceparent(traceparent);
    if (parent?.sampled === false) return NO_SPAN;
    const traceId = parent?.traceId ?? randomBytes(16).toString('hex');
    return new RecordedSpan({ name, kind, traceId, parentSpanId: parent?.spanId, attributes }, this.#ended);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#sending;
    await this.#send();
    await this.#agent.destroy();
  }

  readonly #ended = (span: Ended): void => {
    if (this.#waiting.length >= MOST_WAITING) this.#dropped++;
    else this.#waiting.push(span);
    if (this.#waiting.length === LARGEST_BATCH) void this.#send();
  };

  /** One request at a time. */
  #send(): Promise<void> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0, LARGEST_BATCH);
      try {
        await this.#post(batch);
      } catch (error) {
        this.#dropped += batch.length;
        const reason = error instanceof Error ? error.message : String(error);
        this.#logger.warn(
          { spans: this.#dropped, reason },
          'traces were lost: the collector did not take them',
        );
        this.#dropped = 0;
        return;
      }
    }
  }

  async #post(batch: readonly Ended[]): Promise<void> {
    const { statusCode, body } = await this.#agent.request({
      origin: this.#origin,
      path: this.#path,
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': `thoth/${VERSION}`, ...this.#headers },
      body: JSON.stringify(requestOf(batch)),
    });
    await body.dump();
    if (statusCode < 200 || statusCode >= 300) throw new Error(`HTTP status ${statusCode}`);
  }
}

interface Begun {
  readonly name: string;
  readonly kind: SpanKind;
  readonly traceId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Attributes;
}

class RecordedSpan implements Span {
  readonly traceId: string;
  readonly #begun: Begun;
  readonly #onEnd: (span: Ended) => void;
  readonly #spanId = randomBytes(8).toString('hex');
  readonly #startedAt = now();
  #name: string;
  #attributes: Attributes;
  #hasEnded = false;

  constructor(begun: Begun, onEnd: (span: Ended) => void) {
    this.traceId = begun.traceId;
    this.#begun = begun;
    this.#name = begun.name;
    this.#attributes = begun.attributes;
    this.#onEnd = onEnd;
  }

  child(name: string, kind: SpanKind, attributes: Attributes = {}): Span {
    const begun = { name, kind, traceId: this.traceId, parentSpanId: this.#spanId, attributes };
    return new RecordedSpan(begun, this.#onEnd);
  }

  set(attributes: Attributes): void {
    this.#attributes = { ...this.#attributes, ...attributes };
  }

  rename(name: string): void {
    this.#name = name;
  }

  end(error?: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (error !== undefined) this.set({ 'error.type': error });
    const { kind, traceId, parentSpanId } = this.#begun;
    this.#onEnd({
      traceId,
      spanId: this.#spanId,
      ...(parentSpanId === undefined ? {} : { parentSpanId }),
      name: this.#name,
      kind: KINDS[kind],
      startTimeUnixNano: this.#startedAt,
      endTimeUnixNano: now(),
      attributes: attributesOf(this.#attributes),
      status: error === undefined ? {} : { code: STATUS_ERROR },
    });
  }
}

/** Nanoseconds since 1970. */
function now(): string {
  return String(BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)) * 1000n);
}

/** Source: OpenTelemetry's OTLP specification, "JSON Protobuf Encoding": whole numbers are texts. */
function attributesOf(attributes: Attributes): object[] {
  return Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ({ key, value: anyValue(value) }));
}

function anyValue(value: Attributes[string]): object {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}

function requestOf(spans: readonly Ended[]): object {
  const attributes = attributesOf({ 'service.name': 'thoth', 'service.version': VERSION });
  return { resourceSpans: [{ resource: { attributes }, scopeSpans: [{ scope: { name: 'thoth' }, spans }] }] };
}
