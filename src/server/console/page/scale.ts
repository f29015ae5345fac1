/** A value of each series at one time. */
export interface Column {
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly values: readonly number[];
}

/** A part of a stacked column, from `low` up to `high`. */
export interface Segment {
  readonly series: number;
  readonly low: number;
  readonly high: number;
}

/** The segments of a column, one on the other, without the empty ones. */
export function stack(values: readonly number[]): Segment[] {
  let low = 0;
  const segments: Segment[] = [];
  values.forEach((value, series) => {
    if (value <= 0) return;
    segments.push({ series, low, high: low + value });
    low += value;
  });
  return segments;
}

export function sum(values: readonly number[]): number {
  return values.reduce((all, value) => all + value, 0);
}

/**
 * Round marks for an axis from 0 to at least `most`: steps of 1, 2 or 5 times a power of ten, about `wanted` of them.
 *
 * @param integer the values are whole numbers, so that steps are too
 */
export function marks(most: number, wanted: number, integer: boolean): number[] {
  if (most <= 0) return integer ? [0, 1] : [0];
  const rough = most / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= rough * 0.999) ?? 10;
  const step = integer ? Math.max(1, factor * power) : factor * power;
  const steps = Math.ceil((most / step) * 0.9999);
  // Multiplied and rounded, since a sum of steps of 0.1 would drift.
  return Array.from({ length: steps + 1 }, (_, index) => Number((index * step).toPrecision(12)));
}
