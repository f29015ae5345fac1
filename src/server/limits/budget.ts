import { dollarsOf, type Nanos } from '../usage/money.ts';
import { monthOf, nextMonthOf } from './month.ts';
import type { Refused } from './refused.ts';

/** A key's budget for a calendar month: what is spent, and what requests under way may still cost. */
export class Budget {
  /** `null` where there is none; requests under way are held all the same. */
  limit: Nanos | null = null;
  readonly #spentSince: (month: number) => Nanos;
  #month: number | undefined;
  #spent: Nanos = 0;
  #held: Nanos = 0;

  /** @param spentSince what is recorded from the start of a month on */
  constructor(spentSince: (month: number) => Nanos) {
    this.#spentSince = spentSince;
  }

  /** Why a request that may cost so much has to wait, or nothing. */
  refusal(cost: Nanos, now: number): Refused | undefined {
    if (this.limit === null) return undefined;
    const month = monthOf(now);
    if (month !== this.#month) this.#spent = this.#spentSince(month);
    this.#month = month;
    const left = this.limit - this.#spent;
    if (cost + this.#held <= left) return undefined;
    const dollars = `$${dollarsOf(this.limit)}`;
    if (cost <= left) {
      return {
        kind: 'requests',
        message: `What is left of this key's budget of ${dollars} a month is held by requests under way.`,
        waitMs: 1_000,
      };
    }
    const until = new Date(nextMonthOf(now)).toISOString().slice(0, 10);
    const message =
      left <= 0
        ? `This key's budget of ${dollars} a month is spent. The next month begins on ${until} (UTC).`
        : `This request may cost up to $${dollarsOf(cost)}, and $${dollarsOf(left)} are left of this key's budget of ${dollars} a month. Set a smaller max_tokens.`;
    return { kind: 'insufficient_quota', message, waitMs: nextMonthOf(now) - now };
  }

  hold(cost: Nanos): void {
    this.#held += cost;
  }

  settle(held: Nanos, spent: Nanos): void {
    this.#held -= held;
    this.#spent += spent;
  }
}
