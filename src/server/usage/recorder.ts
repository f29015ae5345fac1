import type { Logger } from 'pino';
import { storeFailure } from '../store/sqlite-fault.ts';
import type { Store } from '../store/store.ts';
import type { Entry } from './entry.ts';
import { HourSums } from './hour-sums.ts';
import { Journal } from './journal.ts';
import type { Nanos } from './money.ts';
import { UsageTable } from './usage-table.ts';

/** How long a request waits for others to be written with. */
const GATHER_MS = 20;
const RETRY_MS = 1_000;
const SYNC_MS = 1_000;
/** A batch takes some milliseconds, in which nothing else happens. */
const LARGEST_BATCH = 500;
/** Some 10 MB. What is more while the disk is gone, the oldest of it, is kept as sums. */
const MOST_WAITING = 20_000;
/** Models are named by clients: there is no end to them. */
const MOST_SUMS = 10_000;

/** What waits to be written. */
export interface Waiting {
  /** Whether the database could be written the last time. */
  readonly writable: boolean;
  readonly requests: number;
  /** Requests of which only the sums of their hour are left. */
  readonly summed: number;
  /** Requests of which nothing is left. */
  readonly lost: number;
}

/**
 * Records requests. When `record` returns, the request is in the journal, and so survives the end of the process;
 * the database gets it some milliseconds later. Within a second it is on the disk, and survives a power cut.
 *
 * Where the disk is full, gone or read-only, requests wait in memory until it is back.
 */
export class Recorder {
  readonly #store: Store;
  readonly #table: UsageTable;
  readonly #journal: Journal;
  readonly #logger: Logger;
  #waiting: Entry[] = [];
  #sums = new HourSums();
  #summed = 0;
  #lost = 0;
  #last = 0;
  #troubled = false;
  #timer: NodeJS.Timeout | undefined;
  #syncing: NodeJS.Timeout | undefined;

  constructor(store: Store, logger: Logger) {
    this.#store = store;
    this.#table = new UsageTable(store);
    this.#journal = new Journal(store.directory);
    this.#logger = logger;
  }

  get waiting(): Waiting {
    const requests = this.#waiting.length;
    return { writable: !this.#troubled, requests, summed: this.#summed, lost: this.#lost };
  }

  /** Records a request that has just ended. Never throws. */
  record(what: Omit<Entry, 'at'>): void {
    this.#last = Math.max(this.#last + 1, Date.now() * 1000);
    const entry = { at: this.#last, ...what };
    this.#waiting.push(entry);
    this.#bound();
    try {
      this.#store.open(); // makes the directory that the journal is in
      this.#journal.append(entry);
    } catch (error) {
      this.#trouble(error);
    }
    this.#schedule(this.#troubled ? RETRY_MS : GATHER_MS);
  }

  /** Writes all that waits, and what an earlier process left. @returns whether it could be written */
  flush(): boolean {
    try {
      this.#store.open();
      const left = this.#journal.left();
      for (let from = 0; from < left.length; from += LARGEST_BATCH) {
        this.#table.add(left.slice(from, from + LARGEST_BATCH));
      }
      while (this.#waiting.length > 0 || this.#sums.size > 0) this.#writeBatch();
      this.#journal.clear();
    } catch (error) {
      this.#trouble(error);
      this.#schedule(RETRY_MS);
      return false;
    }
    this.#recovered();
    return true;
  }

  /** What a key has spent from a time on (milliseconds since 1970, a whole hour), to the last request. */
  spentSince(keyId: string, time: number): Nanos {
    this.flush();
    return this.#table.spentSince(keyId, time);
  }

  /** Writes what waits, for the last time. */
  close(): void {
    this.flush();
    clearTimeout(this.#timer);
    clearTimeout(this.#syncing);
    this.#journal.close();
  }

  #writeBatch(): void {
    const batch = this.#waiting.slice(0, LARGEST_BATCH);
    this.#table.add(batch, this.#sums);
    this.#waiting = this.#waiting.slice(batch.length);
    this.#sums = new HourSums();
    this.#summed = 0;
    this.#syncing ??= setTimeout(() => void this.#sync(), SYNC_MS).unref();
  }

  async #sync(): Promise<void> {
    this.#syncing = undefined;
    try {
      await Promise.all([this.#journal.sync(), this.#store.sync()]);
    } catch (error) {
      this.#trouble(error);
    }
  }

  #schedule(ms: number): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.flush();
    }, ms).unref();
  }

  /** Turns the oldest requests into sums where too many wait. */
  #bound(): void {
    if (this.#waiting.length <= MOST_WAITING) return;
    for (const entry of this.#waiting.splice(0, LARGEST_BATCH)) {
      const there = this.#sums.size < MOST_SUMS;
      if (there) this.#sums.add(entry);
      this.#summed += there ? 1 : 0;
      this.#lost += there ? 0 : 1;
    }
  }

  #trouble(error: unknown): void {
    if (this.#troubled || this.#waiting.length === 0) return;
    this.#troubled = true;
    const fault = storeFailure(error)?.faults[0] ?? { err: error };
    this.#logger.warn(
      fault,
      'usage can not be written: requests are served, and wait in memory to be recorded',
    );
  }

  #recovered(): void {
    if (!this.#troubled) return;
    this.#troubled = false;
    this.#logger.info('usage is written again, with all that waited');
  }
}
