import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { pino } from 'pino';
import { ApiError } from '../../../src/server/http/api-error.ts';
import { type Limits, NO_LIMITS } from '../../../src/server/keys/client-key.ts';
import { Allowances } from '../../../src/server/limits/allowances.ts';
import { Store } from '../../../src/server/store/store.ts';
import { KeyMeter } from '../../../src/server/usage/key-meter.ts';
import type { Call, Outcome } from '../../../src/server/usage/meter.ts';
import { nanosOf } from '../../../src/server/usage/money.ts';
import { Prices } from '../../../src/server/usage/prices.ts';
import { Recorder } from '../../../src/server/usage/recorder.ts';
import { UsageReport } from '../../../src/server/usage/report.ts';
import { dataDirectory } from '../data.ts';

const CALL: Call = {
  requestId: 'request',
  caller: { keyId: 'key', name: 'test', scopes: new Set(['chat']) },
  endpoint: 'chat.completions',
  model: 'fast',
  streamed: true,
};
const ESTIMATE = { input: 100, maxOutput: 900 };
const DONE: Outcome = {
  provider: 'openai',
  upstreamModel: 'gpt-4o',
  status: 200,
  tokens: { input: 1000, output: 100, cachedInput: 500 },
  measured: 'provider',
  firstByteMs: 12.6,
  tries: 1,
};

function open(limits: Partial<Limits> = {}) {
  const store = new Store(dataDirectory());
  const logger = pino({ level: 'silent' });
  const recorder = new Recorder(store, logger);
  const allowances = new Allowances((keyId, month) => recorder.spentSince(keyId, month));
  allowances.limit('key', { ...NO_LIMITS, ...limits }, Date.now());
  const routes = (model: string) => (model === 'fast' ? ['openai/gpt-4o', 'openai/gpt-4o-mini'] : [model]);
  const meter = new KeyMeter({ allowances, prices: new Prices(), recorder, logger, routes });
  const report = new UsageReport(store);
  const recorded = () => {
    recorder.flush();
    return report.requests(Number.MAX_SAFE_INTEGER, 100);
  };
  return { meter, recorder, allowances, recorded };
}

function refusalOf(work: () => unknown): ApiError {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'it was not refused' });
}

test('a call is recorded once, with its cost, and never with what was asked', () => {
  const { meter, recorded } = open();
  const call = meter.open(CALL, ESTIMATE);
  call.close(DONE);
  call.close({ ...DONE, status: 500 });
  const [entry, ...more] = recorded();
  assert.deepEqual(more, []);
  const { at: _, ms, key_name: __, ...rest } = entry ?? { at: 0, ms: 0 };
  assert.ok(ms >= 0);
  assert.deepEqual(rest, {
    request_id: 'request',
    key_id: 'key',
    endpoint: 'chat.completions',
    model: 'fast',
    provider: 'openai',
    upstream_model: 'gpt-4o',
    status: 200,
    streamed: 1,
    input_tokens: 1000,
    output_tokens: 100,
    cached_tokens: 500,
    cost: nanosOf((500 * 2.5 + 500 * 1.25 + 100 * 10) / 1e6),
    measured: 'provider',
    first_byte_ms: 13,
    tries: 1,
  });
});

describe('what it costs', () => {
  const NO_TOKENS: Outcome = {
    status: 200,
    measured: 'provider',
    tries: 1,
    provider: 'openai',
    upstreamModel: 'gpt-4o',
  };
  const cases: readonly [string, Outcome, number | null][] = [
    ['the model has no price: not known', { ...DONE, upstreamModel: 'gpt-99' }, null],
    ['nobody told the tokens: not known', NO_TOKENS, null],
    ['the client left before anybody told: not known', { ...NO_TOKENS, status: 499 }, null],
    ['the provider failed: nothing', { ...NO_TOKENS, status: 502 }, 0],
    ['it never went out: nothing', { status: 404, measured: 'provider', tries: 0 }, 0],
    ['the client left, and tokens were counted', { ...DONE, status: 499, measured: 'estimate' }, 2_875_000],
  ];
  for (const [name, outcome, cost] of cases) {
    test(name, () => {
      const { meter, recorded } = open();
      meter.open(CALL, ESTIMATE).close(outcome);
      assert.equal(recorded()[0]?.cost, cost);
    });
  }
});

test('a refused call is answered 429 as OpenAI does, and recorded', () => {
  const { meter, recorded } = open({ requestsPerMinute: 1 });
  meter.open(CALL, ESTIMATE).close(DONE);
  const { status, code, type, retryAfter } = refusalOf(() => meter.open(CALL, ESTIMATE));
  assert.deepEqual([status, code, type], [429, 'rate_limit_exceeded', 'requests']);
  assert.ok(retryAfter !== undefined && retryAfter > 0 && retryAfter <= 60);
  assert.deepEqual(
    recorded().map((entry) => [entry.status, entry.cost, entry.tries]),
    [
      [429, 0, 0],
      [200, 2_875_000, 1],
    ],
  );
});

test('tokens that were reserved and not used come back when the call ends', () => {
  const { meter, allowances } = open({ tokensPerMinute: 1000 });
  const left = () => allowances.of('key').left(Date.now()).tokens?.remaining ?? 0;
  const call = meter.open(CALL, ESTIMATE);
  assert.ok(left() < 20);
  call.close({ ...DONE, tokens: { input: 100, output: 100 } });
  assert.ok(left() >= 800 && left() < 820);
});

describe('a budget', () => {
  // The dearest of the models that it may go to: 100 tokens of input and 900 of output of gpt-4o.
  const MOST = nanosOf((100 * 2.5 + 900 * 10) / 1e6);

  test('holds the most that a call may cost until it has ended', () => {
    const { meter } = open({ monthlyBudget: MOST * 2 - 1 });
    const call = meter.open(CALL, ESTIMATE);
    assert.equal(refusalOf(() => meter.open(CALL, ESTIMATE)).code, 'rate_limit_exceeded');
    call.close({ ...DONE, tokens: { input: 0, output: 0 } });
    meter.open(CALL, ESTIMATE);
  });

  test('spent is spent, after a restart too', () => {
    const { meter, recorder, allowances } = open({ monthlyBudget: MOST });
    meter.open(CALL, ESTIMATE).close({ ...DONE, tokens: { input: 100, output: 900 } });
    assert.equal(refusalOf(() => meter.open(CALL, ESTIMATE)).code, 'insufficient_quota');
    const anew = new Allowances((keyId, month) => recorder.spentSince(keyId, month));
    anew.limit('key', { ...NO_LIMITS, monthlyBudget: MOST }, Date.now());
    assert.equal(typeof anew.of('key').reserve({ tokens: 0, cost: 1 }, Date.now()), 'object');
    assert.equal(typeof allowances.of('other').reserve({ tokens: 0, cost: 1 }, Date.now()), 'function');
  });

  test('a model without a price can not be had with one', () => {
    const { meter } = open({ monthlyBudget: MOST });
    const { status, code } = refusalOf(() => meter.open({ ...CALL, model: 'openai/gpt-99' }, ESTIMATE));
    assert.deepEqual([status, code], [403, 'price_unknown']);
    open().meter.open({ ...CALL, model: 'openai/gpt-99' }, ESTIMATE);
  });
});
