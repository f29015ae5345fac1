const A_MINUTE = 60_000;

/**
 * So much a minute, all at once at first: what is taken comes back evenly. Times are milliseconds of one clock.
 *
 * It is our own since a reservation must be made in one step, without a turn of the event loop in between, and
 * settled later by what was really used; rate-limiter-flexible and limiter do one or neither.
 */
export class TokenBucket {
  readonly limit: number;
  #level: number;
  #at: number;

  /** @param taken what is gone already, from a bucket that this one replaces */
  constructor(limit: number, now: number, taken = 0) {
    this.limit = limit;
    this.#level = limit - taken;
    this.#at = now;
  }

  /** Milliseconds until `amount` may be taken; 0 is now. What is more than the limit will never be there. */
  wait(amount: number, now: number): number {
    return Math.max(0, ((amount - this.#levelAt(now)) * A_MINUTE) / this.limit);
  }

  /** Takes without asking: what was used in the end may be more than what is there. A negative amount gives back. */
  take(amount: number, now: number): void {
    this.#level = Math.min(this.limit, this.#levelAt(now) - amount);
  }

  remaining(now: number): number {
    return Math.max(0, Math.floor(this.#levelAt(now)));
  }

  /** What is taken and did not come back yet. */
  taken(now: number): number {
    return this.limit - this.#levelAt(now);
  }

  #levelAt(now: number): number {
    const elapsed = Math.max(0, now - this.#at);
    this.#level = Math.min(this.limit, this.#level + (elapsed * this.limit) / A_MINUTE);
    this.#at = Math.max(this.#at, now);
    return this.#level;
  }
}
