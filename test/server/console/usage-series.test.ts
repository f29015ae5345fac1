import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UsageRow } from '../../../src/server/console/page/answers.ts';
import { columnTimes, seriesOf } from '../../../src/server/console/page/usage-series.ts';

const [ONE, TWO] = [Date.UTC(2026, 10, 23), Date.UTC(2026, 10, 24)];

function row(day: number, model: string, requests: number, more: Partial<UsageRow> = {}): UsageRow {
  const none = {
    errors: 0,
    input_tokens: 0,
    output_tokens: 0,
    cost_usd: null,
    unpriced_requests: 0,
    average_ms: 1,
  };
  return { day, model, requests, ...none, ...more };
}

describe('series', () => {
  test('a column for each time, a value for each model, the largest model first', () => {
    const rows = [row(TWO, 'small', 1), row(ONE, 'large', 5), row(TWO, 'large', 7)];
    assert.deepEqual(seriesOf(rows, [ONE, TWO], 'requests', 'model'), {
      names: ['large', 'small'],
      columns: [
        { time: ONE, values: [5, 0] },
        { time: TWO, values: [7, 1] },
      ],
    });
  });

  test('what has no colour of its own is summed up as others', () => {
    const rows = Array.from({ length: 9 }, (_, index) => row(ONE, `model-${index}`, 10 - index));
    const { names, columns } = seriesOf(rows, [ONE], 'requests', 'model');
    assert.deepEqual(names, ['model-0', 'model-1', 'model-2', 'model-3', 'model-4', 'others']);
    assert.deepEqual(columns[0]?.values, [10, 9, 8, 7, 6, 5 + 4 + 3 + 2]);
  });

  test('six of them need no others', () => {
    const rows = Array.from({ length: 6 }, (_, index) => row(ONE, `model-${index}`, 10 - index));
    assert.equal(seriesOf(rows, [ONE], 'requests', 'model').names.at(-1), 'model-5');
  });

  test('by key: its name, or the id of one that is gone; by hour', () => {
    const rows = [
      row(ONE, '', 1, { key: { id: 'k1', name: 'laptop' } }),
      row(ONE, '', 2, { key: { id: 'k2', name: null } }),
    ].map(({ day, ...rest }) => ({ ...rest, ...(day === undefined ? {} : { hour: day }) }));
    const { names, columns } = seriesOf(rows, [ONE], 'requests', 'key');
    assert.deepEqual(
      [names, columns[0]?.values],
      [
        ['k2', 'laptop'],
        [2, 1],
      ],
    );
  });

  test('cost and tokens; a cost that is not known is none, and a row out of the period is left out', () => {
    const rows = [
      row(ONE, 'a', 1, { cost_usd: 0.25, input_tokens: 3, output_tokens: 4 }),
      row(ONE, 'b', 1),
      row(TWO, 'a', 1, { cost_usd: 1 }),
    ];
    assert.deepEqual(seriesOf(rows, [ONE], 'cost', 'model').columns, [{ time: ONE, values: [0.25] }]);
    assert.deepEqual(seriesOf(rows, [ONE], 'tokens', 'model').columns, [{ time: ONE, values: [7] }]);
  });

  test('nothing at all', () => {
    assert.deepEqual(seriesOf([], [ONE], 'requests', 'model'), {
      names: [],
      columns: [{ time: ONE, values: [] }],
    });
  });
});

test('the last column is the day under way', () => {
  const day = 86_400_000;
  assert.deepEqual(columnTimes(2, day, TWO + 5), [ONE, TWO]);
  assert.deepEqual(columnTimes(2, day, TWO), [ONE, TWO]);
});
