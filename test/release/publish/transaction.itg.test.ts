import assert from 'node:assert/strict';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { countFaults } from '../../count-faults.ts';
import { isWrite, type Seen } from '../registry/proxy.ts';
import { bundlePublish, killedAt, launchPublish, sentAgain } from './kill.ts';
import { apply, repositoryAt } from './release-fixture.ts';
import { type Prepared, TransactionBench } from './transaction-bench.ts';

/**
 * v1.0.1 is published over v1.0.0 and killed, with everything it started, at each of its requests before the
 * request reaches the registry, and at each that writes when it had its effect and the answer is lost.
 */
describe('a publish that is killed at any request', () => {
  let bench: TransactionBench;
  let undisturbed: readonly Seen[] = [];
  let script: string;
  before(async () => {
    bench = await TransactionBench.open();
    script = join(bench.bench.dir, 'publish.mjs');
    await bundlePublish(script);
    const prepared = await bench.prepare('undisturbed');
    bench.proxy.seen = [];
    const [code] = await once(launch(prepared), 'exit');
    assert.equal(code, 0);
    await bench.assertReleased('undisturbed', 'of an undisturbed run');
    undisturbed = bench.proxy.seen;
  });
  after(() => bench.close());

  function launch({ repository, planPath, dir }: Prepared): ChildProcess {
    const work = { host: bench.host, repository, plan: planPath, layout: bench.next.dir, dir };
    return launchPublish(script, work);
  }

  const MODES = [
    ['reset', 'before it reaches the registry', () => true],
    ['swallow-answer', 'after it wrote, its answer lost', isWrite],
  ] as const;
  for (const [mode, when, counts] of MODES) {
    test(`${when}: the next run ends in the same state, and sends no blob twice`, async (t) => {
      const requests = undisturbed.filter(counts).length;
      assert.ok(requests > 10, `an undisturbed publish made ${requests} such requests`);
      const { proxy } = bench;
      let [killed, repeated] = [0, 0];
      bench.count.mixed = 0;
      for (let at = 1; at <= requests; at += 1) {
        const { repository, plan, dir, ...rest } = await bench.prepare(`${mode}-${at}`);
        await killedAt(proxy, launch({ repository, plan, dir, ...rest }), { at, mode, counts });
        killed += 1;
        await bench.assertWhole(repository);

        const there = await bench.blobsIn(repository);
        proxy.seen = [];
        await apply(plan, await repositoryAt(bench.host, repository), dir, bench.next);
        const again = sentAgain(proxy, there);
        repeated += again.length;
        assert.deepEqual(again, [], `uploads repeated after request ${at}`);
        await bench.assertWhole(repository);
        await bench.assertReleased(repository, `after request ${at}`);
      }
      countFaults(t, `A publish killed at a request, ${when}`, killed, {
        'mixed states': bench.count.mixed,
        'uploads repeated': repeated,
      });
    });
  }
});
