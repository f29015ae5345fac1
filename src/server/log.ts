import { type DestinationStream, type Logger, pino } from 'pino';
import { redactNames, redactValues } from './redact.ts';
import { type Settings, secretsOf } from './settings/schema.ts';

// A shorter value is no real key, and striking it out everywhere could make lines unreadable.
const SHORTEST_SECRET = 8;

/**
 * The service's logger: one JSON object a line on standard output, `level` by name, `time` in ISO 8601.
 *
 * Secrets are kept out twice: by property name, and by striking the values of `settings`' secrets out of
 * the finished line, whatever they were part of (an upstream's error text, a stack trace).
 */
export function createLogger(settings: Settings, destination?: DestinationStream): Logger {
  const secrets = secretsOf(settings)
    .map((secret) => secret.reveal())
    .filter((value) => value.length >= SHORTEST_SECRET);
  const options = {
    level: settings.LOG_LEVEL,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: {
      level: (label: string) => ({ level: label }),
      log: (line: Record<string, unknown>) => redactNames(line) as Record<string, unknown>,
    },
    // An error's own properties can hold a request's headers.
    serializers: { err: (error: Error) => redactNames({ ...pino.stdSerializers.err(error) }) },
    hooks: { streamWrite: (line: string) => redactValues(line, secrets) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
