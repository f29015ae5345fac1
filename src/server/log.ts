import { type DestinationStream, type Logger, pino } from 'pino';
import { redactNames, SecretValues } from './redact.ts';
import { type Settings, secretsOf } from './settings/schema.ts';

/**
 * The service's logger: one JSON object a line on standard output, `level` by name, `time` in ISO 8601.
 *
 * Secrets are kept out twice: by property name, and by striking their values out of the finished line,
 * whatever they were part of (an upstream's error text, a stack trace).
 *
 * @param secrets by default those of `settings`; more may be added to it later
 */
export function createLogger(
  settings: Settings,
  destination?: DestinationStream,
  secrets = new SecretValues(secretsOf(settings)),
): Logger {
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
    hooks: { streamWrite: (line: string) => secrets.strike(line) },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}
