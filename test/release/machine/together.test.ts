import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { each, together } from '../../../src/release/machine/together.ts';

test('a failure is thrown when all the rest has ended', async () => {
  let ended = false;
  const slow = turn().then(() => {
    ended = true;
  });
  await assert.rejects(together([Promise.reject(new Error('first')), slow]), /first/);
  assert.ok(ended);
});

for (const [said, atOnce] of [
  [undefined, 4],
  [1, 1],
] as const) {
  test(`each item is worked on once, ${atOnce} at a time, and the results have the order of the items`, async () => {
    let [under, most] = [0, 0];
    const items = Array.from({ length: 20 }, (_, n) => n);
    const work = async (item: number) => {
      under += 1;
      most = Math.max(most, under);
      for (let n = 0; n < 20 - item; n += 1) await turn();
      under -= 1;
      return item * 2;
    };
    assert.deepEqual(
      await each(items, work, said),
      items.map((item) => item * 2),
    );
    assert.equal(most, atOnce);
  });
}

test('of no items there are no results', async () => {
  assert.deepEqual(await each([], () => Promise.reject(new Error('never'))), []);
});

test('after a failure nothing more is begun, and what was is waited for', async () => {
  const [begun, ended]: [number[], number[]] = [[], []];
  const work = async (item: number) => {
    begun.push(item);
    if (item === 1) throw new Error('of 1');
    await turn();
    ended.push(item);
  };
  await assert.rejects(each([0, 1, 2, 3, 4, 5], work), /of 1/);
  assert.deepEqual(
    [begun, ended],
    [
      [0, 1, 2, 3],
      [0, 2, 3],
    ],
  );
});
