import type { Secret } from './settings/secret.ts';

const REDACTED = '[redacted]';

/** Property names whose values are never logged, in lower case. */
const HIDDEN_NAMES = new Set([
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-api-key',
  'x-goog-api-key',
  'api-key',
  'api_key',
  'apikey',
  'password',
  'secret',
  'token',
]);

// Deeper than anything that is logged on purpose; it also ends at objects that hold themselves.
const DEEPEST = 6;

/**
 * Puts `[redacted]` in place of values under telling names, in any case and at any depth up to six.
 *
 * pino's own `redact` does this by fixed paths, in one case. With wildcards down to two levels, logging a
 * request was measured at 25 us; with this it is 2.5 us.
 *
 * @returns a copy where something was hidden, else `value` itself
 */
export function redactNames(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || depth > DEEPEST) return value;
  if (Array.isArray(value)) return mapped(value, depth);
  if (!isPlain(value)) return value;
  let copy: Record<string, unknown> | undefined;
  for (const [name, inner] of Object.entries(value)) {
    const shown = HIDDEN_NAMES.has(name.toLowerCase()) ? REDACTED : redactNames(inner, depth + 1);
    if (shown === inner) continue;
    copy ??= { ...value };
    copy[name] = shown;
  }
  return copy ?? value;
}

// A shorter value is no real key, and striking it out everywhere could make lines unreadable.
const SHORTEST_SECRET = 8;

/** The values of secrets, which are struck out of finished lines, whatever they are part of. */
export class SecretValues {
  readonly #values = new Set<string>();

  constructor(secrets: readonly Secret[]) {
    for (const secret of secrets) this.add(secret);
  }

  add(secret: Secret): void {
    const value = secret.reveal();
    if (value.length >= SHORTEST_SECRET) this.#values.add(value);
  }

  strike(line: string): string {
    let text = line;
    for (const value of this.#values) text = text.replaceAll(value, REDACTED);
    return text;
  }
}

function mapped(values: readonly unknown[], depth: number): readonly unknown[] {
  const shown = values.map((inner) => redactNames(inner, depth + 1));
  return shown.every((inner, index) => inner === values[index]) ? values : shown;
}

/** Objects with a class of their own (Secret, Date, Buffer) write themselves. */
function isPlain(value: object): value is Record<string, unknown> {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
