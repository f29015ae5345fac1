import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gate } from '../../../src/server/gateway/gate.ts';
import { ApiError } from '../../../src/server/http/api-error.ts';

const NEVER = new AbortController().signal;
const gateOf = (inside: number, waiting: number, longestWaitMs = 60_000) =>
  new Gate({ inside, waiting, longestWaitMs });

function isBusy(error: unknown): boolean {
  return error instanceof ApiError && error.status === 503 && error.retryAfter !== undefined;
}

test('as many as allowed are inside at a time, in the order they came, and none is lost', async () => {
  const gate = gateOf(3, 1000);
  const order: number[] = [];
  let most = 0;
  await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const leave = await gate.enter(NEVER);
      order.push(index);
      most = Math.max(most, gate.inside);
      await new Promise((resolve) => setImmediate(resolve));
      leave();
      leave();
    }),
  );
  assert.equal(most, 3);
  assert.deepEqual(
    order,
    [...order].sort((a, b) => a - b),
  );
  assert.deepEqual([gate.inside, gate.waiting], [0, 0]);
});

test('who comes when the line is full is turned away', async () => {
  const gate = gateOf(1, 1);
  const leave = await gate.enter(NEVER);
  const second = gate.enter(NEVER);
  await assert.rejects(gate.enter(NEVER), isBusy);
  leave();
  (await second)();
  assert.equal(gate.inside, 0);
});

test('who waits too long is turned away, and its place in the line is free', async () => {
  const gate = gateOf(1, 1, 1);
  const leave = await gate.enter(NEVER);
  await assert.rejects(gate.enter(NEVER), isBusy);
  assert.equal(gate.waiting, 0);
  leave();
});

test('who gives up leaves the line', async () => {
  const gate = gateOf(1, 1);
  const leave = await gate.enter(NEVER);
  const leaving = new AbortController();
  const waiting = gate.enter(leaving.signal);
  const reason = new Error('left');
  leaving.abort(reason);
  await assert.rejects(waiting, reason);
  assert.equal(gate.waiting, 0);
  leave();
  assert.equal(gate.inside, 0);
  await assert.rejects(gate.enter(leaving.signal), reason);
});
