import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { marks, stack } from '../../../src/server/console/page/scale.ts';

describe('marks of an axis', () => {
  const cases: readonly [most: number, integer: boolean, marks: readonly number[]][] = [
    [0, true, [0, 1]],
    [0, false, [0]],
    [1, true, [0, 1]],
    [3, true, [0, 1, 2, 3]],
    [7, true, [0, 2, 4, 6, 8]],
    [680, true, [0, 200, 400, 600, 800]],
    [1000, true, [0, 500, 1000]],
    [0.3, false, [0, 0.1, 0.2, 0.3]],
    [0.0042, false, [0, 0.002, 0.004, 0.006]],
  ];
  for (const [most, integer, expected] of cases) {
    test(`${most}${integer ? '' : ' dollars'}`, () => assert.deepEqual(marks(most, 4, integer), expected));
  }

  test('they begin at 0, end at or above the most, and are few', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-9, max: 1e12, noNaN: true }), fc.boolean(), (most, integer) => {
        const found = marks(most, 4, integer);
        assert.equal(found[0], 0);
        assert.ok((found.at(-1) ?? 0) >= most * 0.999, `${found}`);
        assert.ok(found.length <= 6, `${found}`);
        if (integer) assert.ok(found.every(Number.isInteger), `${found}`);
      }),
    );
  });
});

describe('the segments of a column', () => {
  const cases: readonly [readonly number[], readonly object[]][] = [
    [[], []],
    [[0, 0], []],
    [
      [2, 0, 3],
      [
        { series: 0, low: 0, high: 2 },
        { series: 2, low: 2, high: 5 },
      ],
    ],
  ];
  for (const [values, expected] of cases) {
    test(JSON.stringify(values), () => assert.deepEqual(stack(values), expected));
  }
});
