import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { type Limits, NO_LIMITS } from '../../../src/server/keys/client-key.ts';
import { Allowance } from '../../../src/server/limits/allowance.ts';
import { nanosOf } from '../../../src/server/usage/money.ts';

const NOW = Date.UTC(2026, 10, 24, 12);
const DOLLAR = nanosOf(1);

function allowance(limits: Partial<Limits>, spent = 0): Allowance {
  const made = new Allowance(() => spent);
  made.limit({ ...NO_LIMITS, ...limits }, NOW);
  return made;
}

/** Reserves, and throws where that is refused. */
function reserve(from: Allowance, tokens = 0, cost = 0, now = NOW) {
  const settle = from.reserve({ tokens, cost }, now);
  if (typeof settle !== 'function') throw new assert.AssertionError({ message: settle.message });
  return settle;
}

/** Why it is refused. */
function refusal(from: Allowance, tokens = 0, cost = 0, now = NOW) {
  const refused = from.reserve({ tokens, cost }, now);
  if (typeof refused === 'function') throw new assert.AssertionError({ message: 'it was not refused' });
  return refused;
}

test('without limits everything passes, and nothing is told of limits', () => {
  const free = allowance({});
  for (let count = 0; count < 1000; count += 1) reserve(free, 1e9, 1e15);
  assert.deepEqual(free.left(NOW), { requests: undefined, tokens: undefined });
});

describe('requests a minute', () => {
  test('exactly so many at once, then one each time that one comes back', () => {
    const limited = allowance({ requestsPerMinute: 60 });
    for (let count = 0; count < 60; count += 1) reserve(limited);
    const { kind, waitMs } = refusal(limited);
    assert.deepEqual([kind, waitMs], ['requests', 1000]);
    assert.deepEqual(limited.left(NOW).requests, { limit: 60, remaining: 0, resetMs: 60_000 });
    refusal(limited, 0, 0, NOW + 999);
    reserve(limited, 0, 0, NOW + 1000);
    refusal(limited, 0, 0, NOW + 1000);
  });

  test('in no time more than the limit and what came back of it', () => {
    const waits = fc.array(fc.integer({ min: 0, max: 5_000 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(waits, fc.integer({ min: 1, max: 100 }), (pauses, limit) => {
        const limited = allowance({ requestsPerMinute: limit });
        let now = NOW;
        let passed = 0;
        for (const pause of pauses) {
          now += pause;
          if (typeof limited.reserve({ tokens: 0, cost: 0 }, now) === 'function') passed += 1;
          assert.ok(passed <= limit + ((now - NOW) * limit) / 60_000 + 1e-6);
        }
      }),
    );
  });

  test('a clock that is set back gives nothing', () => {
    const limited = allowance({ requestsPerMinute: 1 });
    reserve(limited);
    refusal(limited, 0, 0, NOW - 3_600_000);
    refusal(limited, 0, 0, NOW + 59_000);
    reserve(limited, 0, 0, NOW + 60_000);
  });
});

describe('tokens a minute', () => {
  test('what was reserved and not used comes back; what was used beyond it is taken', () => {
    const limited = allowance({ tokensPerMinute: 1000 });
    const settle = reserve(limited, 800);
    assert.equal(refusal(limited, 300).kind, 'tokens');
    settle({ tokens: 100, cost: 0 }, NOW);
    assert.equal(limited.left(NOW).tokens?.remaining, 900);
    reserve(limited, 900)({ tokens: 2900, cost: 0 }, NOW);
    assert.equal(limited.left(NOW).tokens?.remaining, 0);
    assert.equal(refusal(limited, 1).waitMs, 120_060);
  });

  test('one request that may use more than the limit passes when all of it is there', () => {
    const limited = allowance({ tokensPerMinute: 1000 });
    reserve(limited, 5000);
    refusal(limited, 1);
  });

  test('a request that is refused by one limit takes nothing from another', () => {
    const limited = allowance({ requestsPerMinute: 10, tokensPerMinute: 100 });
    reserve(limited, 100);
    refusal(limited, 50);
    assert.equal(limited.left(NOW).requests?.remaining, 9);
  });
});

describe('the budget of a month', () => {
  test('what is under way counts, so that no two requests spend the same', () => {
    const limited = allowance({ monthlyBudget: DOLLAR });
    const settle = reserve(limited, 0, DOLLAR * 0.6);
    assert.deepEqual(
      [refusal(limited, 0, DOLLAR * 0.6).kind, refusal(limited, 0, DOLLAR * 0.6).waitMs],
      ['requests', 1000],
    );
    settle({ tokens: 0, cost: DOLLAR * 0.1 }, NOW);
    reserve(limited, 0, DOLLAR * 0.9);
  });

  test('spent, it is refused until the next month begins', () => {
    const limited = allowance({ monthlyBudget: DOLLAR }, DOLLAR);
    const { kind, waitMs, message } = refusal(limited, 0, 1);
    assert.deepEqual([kind, NOW + waitMs], ['insufficient_quota', Date.UTC(2026, 11, 1)]);
    assert.match(message, /budget of \$1 a month is spent.*2026-12-01/);
  });

  test('a request that may cost more than is left is told so', () => {
    const limited = allowance({ monthlyBudget: DOLLAR }, DOLLAR * 0.75);
    assert.match(refusal(limited, 0, DOLLAR * 0.5).message, /may cost up to \$0\.5, and \$0\.25 are left/);
  });

  test('a new month begins with what is recorded of it', () => {
    const months: number[] = [];
    const made = new Allowance((month) => {
      months.push(month);
      return month === Date.UTC(2026, 10, 1) ? DOLLAR : 0;
    });
    made.limit({ ...NO_LIMITS, monthlyBudget: DOLLAR }, NOW);
    refusal(made, 0, 1);
    refusal(made, 0, 1);
    reserve(made, 0, DOLLAR, Date.UTC(2026, 11, 1));
    assert.deepEqual(months, [Date.UTC(2026, 10, 1), Date.UTC(2026, 11, 1)]);
  });

  test('is never overspent, whatever order requests end in', () => {
    const steps = fc.array(
      fc.record({ ends: fc.boolean(), most: fc.nat(100), part: fc.double({ min: 0, max: 1, noNaN: true }) }),
    );
    fc.assert(
      fc.property(steps, (list) => {
        const limited = allowance({ monthlyBudget: 300 });
        const open: [number, ReturnType<typeof reserve>][] = [];
        let spent = 0;
        for (const { ends, most, part } of list) {
          const first = ends ? open.shift() : undefined;
          if (first !== undefined) {
            const cost = Math.floor(first[0] * part);
            first[1]({ tokens: 0, cost }, NOW);
            spent += cost;
          }
          const settle = limited.reserve({ tokens: 0, cost: most }, NOW);
          if (typeof settle === 'function') open.push([most, settle]);
          assert.ok(spent + open.reduce((sum, [held]) => sum + held, 0) <= 300);
        }
      }),
    );
  });
});

test('changed limits count at once, and what is used stays used', () => {
  const changed = allowance({ requestsPerMinute: 10 });
  for (let count = 0; count < 8; count += 1) reserve(changed);
  changed.limit({ ...NO_LIMITS, requestsPerMinute: 9, monthlyBudget: DOLLAR }, NOW);
  const settle = reserve(changed, 0, DOLLAR);
  refusal(changed);
  changed.limit(NO_LIMITS, NOW);
  reserve(changed, 0, DOLLAR);
  settle({ tokens: 0, cost: DOLLAR }, NOW);
  changed.limit({ ...NO_LIMITS, monthlyBudget: DOLLAR * 3 }, NOW);
  assert.equal(refusal(changed, 0, DOLLAR * 2).kind, 'requests', 'one dollar is spent and one still held');
});
