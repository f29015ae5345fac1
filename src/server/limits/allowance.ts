import type { Limits } from '../keys/client-key.ts';
import type { Nanos } from '../usage/money.ts';
import { Budget } from './budget.ts';
import type { Refused } from './refused.ts';
import { TokenBucket } from './token-bucket.ts';

/** What a request may use at most, or what it used. */
export interface Amount {
  readonly tokens: number;
  readonly cost: Nanos;
}

/** What is left of a limit a minute, for the headers of an answer. */
export interface Left {
  readonly limit: number;
  readonly remaining: number;
  /** Until all of it is there again. */
  readonly resetMs: number;
}

/**
 * What one key may still use. A request reserves the most that it may use before it goes out, and settles what it
 * did use: in between, nobody else can have it. Times are milliseconds since 1970.
 */
export class Allowance {
  readonly #budget: Budget;
  #limits: Limits | undefined;
  #requests: TokenBucket | undefined;
  #tokens: TokenBucket | undefined;

  /** @param spentSince what the key has spent from a time on, as it is recorded */
  constructor(spentSince: (month: number) => Nanos) {
    this.#budget = new Budget(spentSince);
  }

  get hasBudget(): boolean {
    return this.#budget.limit !== null;
  }

  /** Takes new limits over; what is used already stays used. */
  limit(limits: Limits, now: number): void {
    const { requestsPerMinute, tokensPerMinute, monthlyBudget } = limits;
    if (requestsPerMinute !== this.#limits?.requestsPerMinute) {
      this.#requests = replace(this.#requests, requestsPerMinute, now);
    }
    if (tokensPerMinute !== this.#limits?.tokensPerMinute) {
      this.#tokens = replace(this.#tokens, tokensPerMinute, now);
    }
    this.#budget.limit = monthlyBudget;
    this.#limits = limits;
  }

  /**
   * Reserves room for a request, all of it or none.
   *
   * @returns settles it, once, by what was used; or why there is no room
   */
  reserve(most: Amount, now: number): ((used: Amount, now: number) => void) | Refused {
    const tokens = Math.min(most.tokens, this.#tokens?.limit ?? most.tokens);
    const refused =
      refusal(this.#requests, 'requests', 1, now) ??
      refusal(this.#tokens, 'tokens', tokens, now) ??
      this.#budget.refusal(most.cost, now);
    if (refused !== undefined) return refused;
    this.#requests?.take(1, now);
    this.#tokens?.take(tokens, now);
    this.#budget.hold(most.cost);
    return (used, later) => {
      this.#tokens?.take(used.tokens - tokens, later);
      this.#budget.settle(most.cost, used.cost);
    };
  }

  left(now: number): { readonly requests: Left | undefined; readonly tokens: Left | undefined } {
    return { requests: leftOf(this.#requests, now), tokens: leftOf(this.#tokens, now) };
  }
}

function replace(
  bucket: TokenBucket | undefined,
  limit: number | null,
  now: number,
): TokenBucket | undefined {
  return limit === null ? undefined : new TokenBucket(limit, now, bucket?.taken(now));
}

function refusal(
  bucket: TokenBucket | undefined,
  kind: 'requests' | 'tokens',
  amount: number,
  now: number,
): Refused | undefined {
  const waitMs = bucket?.wait(amount, now) ?? 0;
  if (bucket === undefined || waitMs === 0) return undefined;
  const message = `This key may use ${bucket.limit} ${kind} a minute, and they are used.`;
  return { kind, message, waitMs };
}

function leftOf(bucket: TokenBucket | undefined, now: number): Left | undefined {
  if (bucket === undefined) return undefined;
  const { limit } = bucket;
  return { limit, remaining: bucket.remaining(now), resetMs: bucket.wait(limit, now) };
}
