import { setTimeout as after } from 'node:timers/promises';
import { pino } from 'pino';
import { ProviderKeys } from '../gateway/provider-keys.ts';
import { Upstream } from '../gateway/upstream.ts';
import { UpstreamFailure } from '../gateway/upstream-failure.ts';
import { PROVIDER_BY_NAME } from '../providers/catalogue.ts';
import type { ProviderName } from '../providers/provider.ts';
import type { Settings } from '../settings/schema.ts';

const ANSWER_WITHIN_MS = 10_000;

export type KeyState = 'valid' | 'invalid' | 'no quota' | 'unreachable';

/** How a provider takes the key that is set for it. */
export interface KeyCheck {
  readonly provider: ProviderName;
  readonly state: KeyState;
  /** Why, in our own words: a provider's may quote a part of the key. */
  readonly reason: string;
}

const NO_ANSWER = { state: 'unreachable', reason: 'it did not answer in time' } as const;

/** Asks each provider that has a key for its cheapest list, all at once. */
export async function checkProviderKeys(settings: Settings): Promise<KeyCheck[]> {
  const keys = new ProviderKeys(
    settings,
    () => settings,
    pino({ level: 'silent' }),
    () => undefined,
  );
  const upstream = new Upstream(settings, keys);
  try {
    return await Promise.all(keys.given().map((provider) => check(upstream, provider)));
  } finally {
    await upstream.close();
  }
}

async function check(upstream: Upstream, provider: ProviderName): Promise<KeyCheck> {
  const path = PROVIDER_BY_NAME[provider].keyCheckPath;
  const late = new AbortController();
  const timer = after(ANSWER_WITHIN_MS, undefined, { signal: late.signal, ref: false }).then(
    () => late.abort(),
    () => undefined,
  );
  try {
    await upstream.send({ path, streamed: false }, { provider, model: 'none' }, late.signal);
    return { provider, state: 'valid', reason: 'it was accepted' };
  } catch (error) {
    if (late.signal.aborted) return { provider, ...NO_ANSWER };
    if (!(error instanceof UpstreamFailure)) throw error;
    return { provider, ...judge(error) };
  } finally {
    late.abort();
    await timer;
  }
}

/**
 * Sources: the "Error codes" pages of OpenAI, Anthropic and Gemini. Gemini answers 400 to a key that is none;
 * OpenAI 403 to one that is good and may not list models.
 */
function judge({ parts }: UpstreamFailure): Omit<KeyCheck, 'provider'> {
  const { kind, status = 0, code = '', message } = parts;
  if (kind === 'timeout') return NO_ANSWER;
  if (kind !== 'status') return { state: 'unreachable', reason: 'it can not be reached' };
  const told = `it answered ${status}`;
  if (status === 402 || code === 'insufficient_quota') return { state: 'no quota', reason: told };
  if (status === 429) return { state: 'valid', reason: `${told}: too many requests` };
  if (status === 403 && /\bscopes?\b|permission/i.test(`${code} ${message}`) && !isDenied(code)) {
    return { state: 'valid', reason: `${told}: it may not list models` };
  }
  if (status === 401 || status === 403) return { state: 'invalid', reason: told };
  if (status === 400 && /API.key/i.test(message)) return { state: 'invalid', reason: told };
  return { state: 'unreachable', reason: told };
}

/** Gemini's word for a key that may do nothing here. */
function isDenied(code: string): boolean {
  return code === 'permission_denied';
}
