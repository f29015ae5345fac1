import type { Headers } from 'undici';
import { z } from 'zod';

/** What a web service answered. */
export interface WebAnswer {
  readonly status: number;
  readonly headers: Pick<Headers, 'get'>;
  readonly text: string;
}

/** What GitHub asks for where it names no time (REST best practices, "Handle rate limit errors"). */
const UNTOLD_WAIT_MS = 60_000;
/** Characters of an answer that are shown. */
export const QUOTED = 300;

/** 429; and GitHub's 403, which alone does not tell a limit from a missing right. */
export function isLimited({ status, headers, text }: WebAnswer): boolean {
  if (status === 429) return true;
  return status === 403 && (headers.get('x-ratelimit-remaining') === '0' || /rate limit/i.test(text));
}

/**
 * How long a service asks to wait, in milliseconds. `Retry-After` is in seconds or a date (RFC 9110, 10.2.3); Docker
 * Hub's `X-Retry-After` is a unix time, and so is `X-RateLimit-Reset`, which counts where nothing remains.
 */
export function waitOf(headers: WebAnswer['headers'], now: number): number {
  const after = headers.get('retry-after')?.trim() ?? '';
  const reset = headers.get('x-ratelimit-remaining') === '0' ? headers.get('x-ratelimit-reset') : null;
  const until = Number(headers.get('x-retry-after') ?? reset ?? Number.NaN);
  const ms = /^\d+$/.test(after)
    ? Number(after) * 1_000
    : (Number.isNaN(Date.parse(after)) ? until * 1_000 : Date.parse(after)) - now;
  return Number.isNaN(ms) ? UNTOLD_WAIT_MS : Math.max(0, ms);
}

/** What the service itself said, for an error's details: Hub and GitHub both have it in `message`. */
export function quote({ status, text }: WebAnswer): string {
  const said = z.object({ message: z.string(), errors: z.array(z.unknown()).optional() });
  const known = said.safeParse(safeJson(text)).data;
  const words =
    known === undefined ? text : [known.message, ...(known.errors ?? []).map(oneError)].join('; ');
  return `${status} ${words.replace(/\s+/g, ' ').slice(0, QUOTED)}`.trim();
}

/** GitHub's validation errors: a text, or a resource, a field and a code or a message of its own. */
function oneError(error: unknown): string {
  return typeof error === 'string' ? error : Object.values(error ?? {}).join(' ');
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** undici hides the reason of a failed request in `cause`. */
export function reasonOf(error: unknown): string {
  const { cause } = error as { cause?: unknown };
  const { code, message } = (cause ?? error) as { code?: unknown; message?: unknown };
  return [code, message].filter((part) => typeof part === 'string' && part !== '').join(' ') || String(error);
}
