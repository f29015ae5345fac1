import { setImmediate as turn } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Store } from '../store/store.ts';
import { UsageTable } from './usage-table.ts';

const A_DAY = 86_400_000;
const EVERY_MS = 3_600_000;
/** Soon after the start, but not in it. */
const FIRST_MS = 10_000;
/** Some milliseconds' work, in which nothing else happens. */
const AT_ONCE = 1_000;
/** Two years: budgets need a month, and last year's same month is asked for. */
const HOUR_DAYS = 731;

/** Deletes what was recorded once it is old, every hour, a little at a time. */
export class Retention {
  readonly #table: UsageTable;
  readonly #days: number;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;

  /** @param days that single requests are kept */
  constructor(store: Store, days: number, logger: Logger) {
    this.#table = new UsageTable(store);
    this.#days = days;
    this.#logger = logger;
  }

  start(): void {
    this.#next(FIRST_MS);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Deletes all that is too old at a time (milliseconds since 1970). @returns how many rows */
  async expire(now: number): Promise<number> {
    const requests = await this.#expire('usage', now - this.#days * A_DAY);
    return requests + (await this.#expire('usage_hour', now - HOUR_DAYS * A_DAY));
  }

  async #expire(table: 'usage' | 'usage_hour', before: number): Promise<number> {
    for (let deleted = 0; ; ) {
      const some = this.#table.expire(table, before, AT_ONCE);
      deleted += some;
      if (some < AT_ONCE) return deleted;
      await turn();
    }
  }

  #next(ms: number): void {
    this.#timer = setTimeout(() => void this.#run(), ms).unref();
  }

  async #run(): Promise<void> {
    try {
      const rows = await this.expire(Date.now());
      if (rows > 0) this.#logger.info({ rows }, 'old usage was deleted');
    } catch (error) {
      this.#logger.warn({ err: error }, 'old usage could not be deleted');
    }
    if (this.#timer !== undefined) this.#next(EVERY_MS);
  }
}
