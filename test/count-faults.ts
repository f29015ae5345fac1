import type { TestContext } from 'node:test';

/**
 * Tells `make faults` what a test did to the thing it tests, how often, and what was lost by it, as it counted them.
 * What a test file reports of one fault is added up.
 *
 * @param lost what there must be none of, and how many there were: `{ 'mixed states': 0 }`
 */
export function countFaults(
  t: TestContext,
  fault: string,
  times: number,
  lost: Readonly<Record<string, number>>,
): void {
  t.diagnostic(`faults: ${JSON.stringify({ fault, times, lost })}`);
}
