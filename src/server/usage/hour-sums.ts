import { billedModel, type Entry } from './entry.ts';
import type { Nanos } from './money.ts';

const AN_HOUR = 3_600_000_000;
const FROM_ERROR = 400;

export const SUMS = [
  'requests',
  'errors',
  'input_tokens',
  'output_tokens',
  'cached_tokens',
  'cost',
  'unpriced',
  'ms',
] as const;

/** The sums of an hour, a key and a model, as columns of the table `usage_hour`. */
export interface Hour extends Record<(typeof SUMS)[number], number> {
  readonly key_id: string;
  readonly hour: number;
  readonly model: string;
  cost: Nanos;
  /** Requests whose cost is not known. */
  unpriced: number;
}

/** Sums of requests, an hour, a key and a model each. */
export class HourSums {
  readonly #hours = new Map<string, Hour>();

  get size(): number {
    return this.#hours.size;
  }

  values(): Iterable<Readonly<Hour>> {
    return this.#hours.values();
  }

  add(entry: Entry): void {
    const hour = this.#of(entry);
    hour.requests += 1;
    hour.errors += entry.status >= FROM_ERROR ? 1 : 0;
    hour.input_tokens += entry.input_tokens ?? 0;
    hour.output_tokens += entry.output_tokens ?? 0;
    hour.cached_tokens += entry.cached_tokens ?? 0;
    hour.cost += entry.cost ?? 0;
    hour.unpriced += entry.cost === null ? 1 : 0;
    hour.ms += entry.ms;
  }

  #of(entry: Entry): Hour {
    const id = { key_id: entry.key_id, hour: hourOf(entry.at), model: billedModel(entry) };
    const name = `${id.hour} ${id.key_id} ${id.model}`;
    const known = this.#hours.get(name);
    if (known !== undefined) return known;
    const none = { requests: 0, errors: 0, input_tokens: 0, output_tokens: 0, cached_tokens: 0 };
    const made = { ...id, ...none, cost: 0, unpriced: 0, ms: 0 };
    this.#hours.set(name, made);
    return made;
  }
}

/** Hours since 1970. @param at microseconds since 1970 */
export function hourOf(at: number): number {
  return Math.floor(at / AN_HOUR);
}
