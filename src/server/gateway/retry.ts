import type { UpstreamFailure } from './upstream-failure.ts';

/** What may pass by itself: too slow, too many, and outages. 529 is Anthropic's "overloaded". */
const PASSING = new Set([408, 429, 500, 502, 503, 504, 529]);
/** The provider can't serve it, while another might: keys, quota, unknown model. */
const ELSEWHERE = new Set([401, 402, 403, 404]);

/** A longer wait is the client's to make: it may have better to do. */
const LONGEST_WAIT_MS = 10_000;
const FIRST_WAIT_MS = 250;

/** Whether a failure is the request's own fault, so that no other provider would take it either. */
export function isOwnFault({ parts: { kind, status = 0 } }: UpstreamFailure): boolean {
  return kind === 'status' && status >= 400 && status < 500 && !PASSING.has(status) && !ELSEWHERE.has(status);
}

/**
 * When to ask the same provider again after a failure that came before the first byte of an answer.
 *
 * A try is repeated as the providers' own clients do: where the connection failed before an answer began, or the
 * provider said itself that it failed. After a timeout or a broken answer the work may be done, and billed, so
 * that the same provider is not asked again.
 *
 * @param tries how often it was asked
 * @param retries how often it may be asked again
 * @param random from 0 to 1
 * @returns undefined where it is not to be asked again
 */
export function againAfterMs(
  { parts }: UpstreamFailure,
  tries: number,
  retries: number,
  random: number,
): number | undefined {
  const { kind, status = 0, code, shouldRetry, retryAfterMs } = parts;
  const isPassing = kind === 'connect' || (kind === 'status' && PASSING.has(status));
  if (!isPassing || tries > retries || shouldRetry === false || code === 'insufficient_quota')
    return undefined;
  const afterMs = retryAfterMs ?? backoffMs(tries, random);
  return afterMs <= LONGEST_WAIT_MS ? afterMs : undefined;
}

/** Twice as long each time, of which a random half or more: clients that failed together come back apart. */
function backoffMs(tries: number, random: number): number {
  return FIRST_WAIT_MS * 2 ** (tries - 1) * (0.5 + random / 2);
}

/**
 * How long a provider asks to be left alone. Source: RFC 9110, 10.2.3; `retry-after-ms` is OpenAI's.
 *
 * @param now milliseconds since 1970
 */
export function retryAfterMs(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  now: number,
): number | undefined {
  const milliseconds = Number.parseFloat(String(headers['retry-after-ms']));
  if (milliseconds >= 0) return milliseconds;
  const value = headers['retry-after'];
  if (typeof value !== 'string') return undefined;
  if (/^\d+(\.\d+)?$/.test(value.trim())) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
