import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { againAfterMs, isOwnFault, retryAfterMs } from '../../../src/server/gateway/retry.ts';
import { type FailureParts, UpstreamFailure } from '../../../src/server/gateway/upstream-failure.ts';

const NOW = Date.UTC(2026, 10, 24);

const failure = (parts: Omit<FailureParts, 'message'>) =>
  new UpstreamFailure({ provider: 'openai', model: 'm' }, { message: 'x', ...parts });
const status = (code: number, parts: Partial<FailureParts> = {}) =>
  failure({ kind: 'status', status: code, ...parts });

describe('asked again after, in ms, on the first of two retries', () => {
  const cases: readonly [string, UpstreamFailure, number | undefined][] = [
    ['no connection', failure({ kind: 'connect' }), 187.5],
    ['429', status(429), 187.5],
    ['529', status(529), 187.5],
    ['429 with a wait', status(429, { retryAfterMs: 3000 }), 3000],
    ['429 with a wait that is too long', status(429, { retryAfterMs: 10_001 }), undefined],
    ['429 with no quota left', status(429, { code: 'insufficient_quota' }), undefined],
    ['500 that is final', status(500, { shouldRetry: false }), undefined],
    ['501', status(501), undefined],
    ['400', status(400), undefined],
    ['401', status(401), undefined],
    ['a timeout: the work may be done', failure({ kind: 'timeout' }), undefined],
    ['a broken answer: likewise', failure({ kind: 'cut' }), undefined],
    ['nonsense: likewise', failure({ kind: 'malformed' }), undefined],
    ['left alone', failure({ kind: 'open' }), undefined],
  ];
  for (const [name, given, expected] of cases) {
    test(name, () => assert.equal(againAfterMs(given, 1, 2, 0.5), expected));
  }

  test('twice as long each time, and no oftener than allowed', () => {
    const waits = [1, 2, 3].map((tries) => againAfterMs(status(500), tries, 2, 1));
    assert.deepEqual(waits, [250, 500, undefined]);
  });
});

test("the request's own fault is what no other provider would take either", () => {
  const own = [400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 307].filter((code) =>
    isOwnFault(status(code)),
  );
  assert.deepEqual(own, [400, 409, 413, 422]);
});

describe('how long a provider asks to be left alone', () => {
  const cases: readonly [string, Record<string, string>, number | undefined][] = [
    ['nothing', {}, undefined],
    ['seconds', { 'retry-after': '2' }, 2000],
    ['parts of seconds', { 'retry-after': '0.5' }, 500],
    ['a date', { 'retry-after': new Date(NOW + 5000).toUTCString() }, 5000],
    ['a date gone by', { 'retry-after': new Date(NOW - 5000).toUTCString() }, 0],
    ['milliseconds', { 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    ['nonsense', { 'retry-after': 'soon', 'retry-after-ms': 'x' }, undefined],
    ['a negative number', { 'retry-after-ms': '-5' }, undefined],
  ];
  for (const [name, headers, expected] of cases) {
    test(name, () => assert.equal(retryAfterMs(headers, NOW), expected));
  }
});
