import type { Limits } from '../keys/client-key.ts';
import type { Nanos } from '../usage/money.ts';
import { Allowance } from './allowance.ts';

/** The allowance of every key that was used since the start. In memory: one service runs on a data directory. */
export class Allowances {
  readonly #spentSince: (keyId: string, month: number) => Nanos;
  readonly #keys = new Map<string, Allowance>();

  /** @param spentSince what a key has spent from a time on, to the last request */
  constructor(spentSince: (keyId: string, month: number) => Nanos) {
    this.#spentSince = spentSince;
  }

  /** Takes over the limits that a key has now. */
  limit(keyId: string, limits: Limits, now: number): Allowance {
    const allowance = this.of(keyId);
    allowance.limit(limits, now);
    return allowance;
  }

  of(keyId: string): Allowance {
    const known = this.#keys.get(keyId);
    if (known !== undefined) return known;
    const made = new Allowance((month) => this.#spentSince(keyId, month));
    this.#keys.set(keyId, made);
    return made;
  }
}
