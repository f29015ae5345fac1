import assert from 'node:assert/strict';
import { test } from 'node:test';
import { durationOf } from '../../../src/server/commands/duration.ts';

const CASES: readonly [string, number | undefined][] = [
  ['0', 0],
  ['30m', 1_800_000],
  ['12h', 43_200_000],
  ['90d', 7_776_000_000],
  ['1', undefined],
  ['-1d', undefined],
  ['1.5h', undefined],
  ['1w', undefined],
  ['', undefined],
  ['999999d', undefined],
];
for (const [text, expected] of CASES) {
  test(`"${text}" is ${expected === undefined ? 'no time' : `${expected} ms`}`, () => {
    assert.equal(durationOf(text), expected);
  });
}
