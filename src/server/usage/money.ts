/**
 * US dollars as whole nano-dollars, so that sums are exact: ten tokens of an embedding cost a fifth of a
 * micro-dollar. The largest safe number is nine million dollars.
 */
export type Nanos = number;

const A_DOLLAR = 1e9;

export function nanosOf(dollars: number): Nanos {
  return Math.round(dollars * A_DOLLAR);
}

export function dollarsOf(nanos: Nanos): number {
  return nanos / A_DOLLAR;
}
