import type { Store } from '../store/store.ts';
import { COLUMNS, type Entry } from './entry.ts';
import { HourSums, hourOf, SUMS } from './hour-sums.ts';
import type { Nanos } from './money.ts';

const INSERT = `INSERT INTO usage (${COLUMNS.join(', ')}) VALUES (${COLUMNS.map(() => '?').join(', ')})
  ON CONFLICT DO NOTHING`;
const ADD = `INSERT INTO usage_hour (key_id, hour, model, ${SUMS.join(', ')}) VALUES (?, ?, ?, ${SUMS.map(() => '?').join(', ')})
  ON CONFLICT DO UPDATE SET ${SUMS.map((sum) => `${sum} = ${sum} + excluded.${sum}`).join(', ')}`;

/** The tables of usage: a row a request, and the sums of each hour, which are kept longer. */
export class UsageTable {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * Writes requests and adds them to their hours, all or none. One that is there already, since the process ended
   * between the two steps of writing it, is left out.
   *
   * @param more sums of requests that are not written themselves
   * @throws Failure where the store can't be written
   */
  add(entries: readonly Entry[], more = new HourSums()): void {
    this.#store.transaction(() => {
      const written = new HourSums();
      for (const entry of entries) if (this.#insert(entry)) written.add(entry);
      const add = this.#store.prepare(ADD);
      for (const hour of [...more.values(), ...written.values()]) {
        add.run(hour.key_id, hour.hour, hour.model, ...SUMS.map((sum) => hour[sum]));
      }
    });
  }

  /** What a key has spent from a time on (milliseconds since 1970, a whole hour). */
  spentSince(keyId: string, time: number): Nanos {
    const sql = 'SELECT sum(cost) AS cost FROM usage_hour WHERE key_id = ? AND hour >= ?';
    const row = this.#store.read(() => this.#store.prepare(sql).get(keyId, hourOf(time * 1000)));
    return Number(row?.cost ?? 0);
  }

  /** Deletes requests, or hours, from before a time (milliseconds since 1970). @returns how many, at most `most` */
  expire(table: 'usage' | 'usage_hour', time: number, most: number): number {
    const [key, column, before] =
      table === 'usage' ? ['at', 'at', time * 1000] : ['(key_id, hour, model)', 'hour', hourOf(time * 1000)];
    const chosen = `SELECT ${key.replace(/[()]/g, '')} FROM ${table} WHERE ${column} < ? LIMIT ?`;
    const sql = `DELETE FROM ${table} WHERE ${key} IN (${chosen})`;
    return Number(this.#store.transaction(() => this.#store.prepare(sql).run(before, most)).changes);
  }

  /** @returns false where this very request is there already */
  #insert(entry: Entry): boolean {
    const insert = this.#store.prepare(INSERT);
    for (let at = entry.at; ; at += 1) {
      const values = COLUMNS.map((column) => (column === 'at' ? at : entry[column]));
      if (Number(insert.run(...values).changes) === 1) return true;
      const there = this.#store.prepare('SELECT request_id, key_id FROM usage WHERE at = ?').get(at);
      if (there?.request_id === entry.request_id && there.key_id === entry.key_id) return false;
      // Another one of the same microsecond: the clock was set back.
    }
  }
}
