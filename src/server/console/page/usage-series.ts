import type { UsageRow } from './answers.ts';
import type { Column } from './scale.ts';

export type Measure = 'requests' | 'cost' | 'tokens';

/** So many series have a colour of their own; the last one is for the sum of all others. */
const MOST_SERIES = 6;
const OTHERS = 'others';

export interface Series {
  readonly names: readonly string[];
  readonly columns: readonly Column[];
}

/**
 * What a plot shows of rows of usage.
 *
 * @param rows of some hours or days, in no order
 * @param times of the columns, in order: milliseconds since 1970
 */
export function seriesOf(
  rows: readonly UsageRow[],
  times: readonly number[],
  measure: Measure,
  group: 'model' | 'key',
): Series {
  const totals = new Map<string, number>();
  for (const row of rows) {
    const name = nameOf(row, group);
    totals.set(name, (totals.get(name) ?? 0) + amountOf(row, measure));
  }
  const ordered = [...totals].filter(([, value]) => value > 0).sort(([, one], [, other]) => other - one);
  const shown = ordered
    .slice(0, ordered.length > MOST_SERIES ? MOST_SERIES - 1 : MOST_SERIES)
    .map(([name]) => name);
  const names = ordered.length > shown.length ? [...shown, OTHERS] : shown;
  const index = new Map(shown.map((name, at) => [name, at]));
  const columns = new Map(times.map((time) => [time, names.map(() => 0)]));
  for (const row of rows) {
    const values = columns.get(row.hour ?? row.day ?? Number.NaN);
    const at = index.get(nameOf(row, group)) ?? shown.length;
    if (values?.[at] !== undefined) values[at] += amountOf(row, measure);
  }
  return { names, columns: [...columns].map(([time, values]) => ({ time, values })) };
}

/** The columns of a period that ends now: the hour or day that is under way is the last. */
export function columnTimes(count: number, step: number, now: number): number[] {
  const last = Math.floor(now / step) * step;
  return Array.from({ length: count }, (_, index) => last - (count - 1 - index) * step);
}

function amountOf(row: UsageRow, measure: Measure): number {
  if (measure === 'requests') return row.requests;
  return measure === 'cost' ? (row.cost_usd ?? 0) : row.input_tokens + row.output_tokens;
}

function nameOf({ model, key }: UsageRow, group: 'model' | 'key'): string {
  return group === 'model' ? (model ?? '?') : (key?.name ?? key?.id ?? '?');
}
