import type { Store } from '../store/store.ts';
import type { Entry } from './entry.ts';
import type { Hour } from './hour-sums.ts';

const AN_HOUR_MS = 3_600_000;
const MOST_ROWS = 10_000;

export const GROUPS = ['hour', 'day', 'key', 'model'] as const;
export type Group = (typeof GROUPS)[number];

/** How a row is told from others: as SQL, and the columns' names. Days are UTC's. */
const COLUMN: Readonly<Record<Group, string>> = {
  hour: 'hour',
  day: 'hour / 24 AS day',
  key: 'key_id',
  model: 'model',
};
const NAME: Readonly<Record<Group, string>> = { hour: 'hour', day: 'day', key: 'key_id', model: 'model' };

/** Of which requests. Times are milliseconds since 1970; only whole hours are told apart. */
export interface Range {
  readonly from: number;
  readonly to: number;
  readonly keyId?: string | undefined;
  readonly model?: string | undefined;
}

/** Sums of a group. `hour` and `day` count from 1970. */
export type Sums = Partial<Pick<Hour, 'key_id' | 'hour' | 'model'>> & { readonly day?: number } & Omit<
    Hour,
    'key_id' | 'hour' | 'model'
  >;

export type RecordedEntry = Entry & { readonly key_name: string | null };

/** Reads what was recorded. All of it throws Failure where the store can't be read. */
export class UsageReport {
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The sums of every group in a range, in order; of all of it where nothing tells groups apart. */
  sums(range: Range, groups: readonly Group[]): Sums[] {
    const columns = groups.map((group) => `${COLUMN[group]}, `).join('');
    const names = groups.map((group) => NAME[group]).join(', ');
    const [conditions, values] = conditionsOf(range);
    const sql = `SELECT ${columns} sum(requests) AS requests, sum(errors) AS errors, sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens, sum(cached_tokens) AS cached_tokens, sum(cost) AS cost,
        sum(unpriced) AS unpriced, sum(ms) AS ms
      FROM usage_hour WHERE ${conditions} ${names === '' ? 'HAVING requests > 0' : `GROUP BY ${names} ORDER BY ${names}`}
      LIMIT ${MOST_ROWS}`;
    return this.#store.read(() => this.#store.prepare(sql).all(...values) as unknown as Sums[]);
  }

  /**
   * Single requests, the newest first.
   *
   * @param before microseconds since 1970: only those that ended earlier
   */
  requests(before: number, most: number, keyId?: string): RecordedEntry[] {
    const ofKey = keyId === undefined ? '' : 'AND key_id = ?';
    const values = keyId === undefined ? [before, most] : [before, keyId, most];
    const sql = `SELECT usage.*, client_key.name AS key_name FROM usage LEFT JOIN client_key ON id = key_id
      WHERE at < ? ${ofKey} ORDER BY at DESC LIMIT ?`;
    return this.#store.read(() => this.#store.prepare(sql).all(...values) as unknown as RecordedEntry[]);
  }
}

function conditionsOf({ from, to, keyId, model }: Range): [string, (string | number)[]] {
  const conditions: [string, string | number | undefined][] = [
    ['hour >= ?', Math.floor(from / AN_HOUR_MS)],
    ['hour < ?', Math.ceil(to / AN_HOUR_MS)],
    ['key_id = ?', keyId],
    ['model = ?', model],
  ];
  const given = conditions.filter((pair): pair is [string, string | number] => pair[1] !== undefined);
  return [given.map(([sql]) => sql).join(' AND '), given.map(([, value]) => value)];
}
