import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { ReleaseError } from '../../../src/release/errors.ts';
import { countFaults } from '../../count-faults.ts';
import { answer, type Fault } from '../registry/proxy.ts';
import { apply, repositoryAt } from './release-fixture.ts';
import { TransactionBench } from './transaction-bench.ts';

const PUBLISHES = 100;
const AT_ONCE = 50;

describe('a registry that fails', () => {
  let bench: TransactionBench;
  before(async () => {
    bench = await TransactionBench.open();
  });
  after(() => bench.close());

  test('Retry-After is obeyed', async () => {
    const registry = await repositoryAt(bench.host, 'template');
    const times: number[] = [];
    bench.proxy.fault = () => {
      times.push(performance.now());
      return times.length === 1 ? answer(429, { 'retry-after': '2' }) : undefined;
    };
    assert.equal(await registry.digestOf('v1.0.0'), bench.old.index.digest);
    bench.proxy.fault = () => undefined;
    const waited = (times[1] ?? 0) - (times[0] ?? 0);
    assert.ok(waited >= 1_900, `it waited ${Math.round(waited)} ms`);
  });

  test('30 % of requests, at random and in every way: 100 of 100 publishes succeed', async (t) => {
    const random = seeded(7);
    const spoil: readonly ReturnType<Fault>[] = [
      answer(500),
      answer(502),
      answer(503),
      'reset',
      'swallow-answer',
    ];
    let failed = 0;
    let done = 0;
    bench.proxy.fault = () => {
      if (random() >= 0.3) return undefined;
      failed += 1;
      return spoil[Math.floor(random() * spoil.length)];
    };
    const waiting = Array.from({ length: PUBLISHES }, (_, number) => `random-${number}`);
    const work = async () => {
      for (let repository = waiting.pop(); repository !== undefined; repository = waiting.pop()) {
        const { plan, dir } = await bench.prepare(repository);
        await apply(plan, await repositoryAt(bench.host, repository), dir, bench.next);
        await bench.assertWhole(repository);
        await bench.assertReleased(repository, `of ${repository}`);
        done += 1;
      }
    };
    // All of them end before a failure is reported, so that none goes on into the next test.
    const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
    bench.proxy.fault = () => undefined;
    for (const outcome of ended) if (outcome.status === 'rejected') throw withDetails(outcome.reason);
    countFaults(t, `A request of ${PUBLISHES} publishes spoilt`, failed, { publishes: PUBLISHES - done });
    assert.equal(done, PUBLISHES);
    assert.ok(failed > 5 * PUBLISHES, `only ${failed} requests were spoilt`);
  });
});

/** What the registry said is in the details, which a test runner does not print. */
function withDetails(error: unknown): unknown {
  return error instanceof ReleaseError ? new Error([error.message, ...error.details].join('\n')) : error;
}

/** Mulberry32: the same numbers in every run, so that a failure can be had again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
