import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Chart } from '../../../src/release/chart/chart-layout.ts';
import { type ChartRelease, planChart, verifyChart } from '../../../src/release/publish/chart-release.ts';
import { readJournal } from '../../../src/release/publish/journal.ts';
import { formatPlan, type Plan } from '../../../src/release/publish/plan.ts';
import { forgetRehearsal } from '../../../src/release/publish/prepare.ts';
import type { Registry } from '../../../src/release/registry/registry.ts';
import { BUNDLE_TYPE } from '../../../src/release/signing/statement.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';
import { countFaults } from '../../count-faults.ts';
import { makeSmallChart, withChart } from '../chart/chart-fixture.ts';
import { failure } from '../machine/failure.ts';
import { isWrite, type Seen } from '../registry/proxy.ts';
import { SigningKey, signedPlan } from '../signing/signing-fixture.ts';
import { bundlePublish, killedAt, launchPublish, sentAgain } from './kill.ts';
import { apply, repositoryAt } from './release-fixture.ts';
import { TransactionBench } from './transaction-bench.ts';

const VERSION = parseVersion('v1.0.1');
const TAG = VERSION.version;

let bench: TransactionBench;
let chart: Chart;
/** Its OCI layout. */
let layout: string;
before(async () => {
  bench = await TransactionBench.open({ platforms: ['linux/amd64'] });
  ({ chart, layout } = await makeSmallChart(bench.bench.dir, 'v1.0.1', { digest: bench.next.index.digest }));
});
after(() => bench.close());

/** A repository with v1.0.0 in it, an empty one for charts, and the plan of v1.0.1 with its chart. */
async function prepare(repository: string, release = { chart, layout }) {
  const prepared = await bench.prepare(repository);
  const charts = await repositoryAt(bench.host, `${repository}-chart`);
  const plan = await withChart(prepared.plan, release.chart, charts);
  await writeFile(prepared.planPath, formatPlan(plan));
  const registry = await repositoryAt(bench.host, repository);
  return { ...prepared, plan, registry, chart: { registry: charts, dir: release.layout } };
}

function publish(
  { plan, registry, dir, chart: release }: Awaited<ReturnType<typeof prepare>>,
  options: object = {},
) {
  return apply(plan, registry, dir, bench.next, { chart: release, ...options });
}

/** The checks that fail, by name, and why. */
async function wrong(registry: Registry, verifier?: SigningKey): Promise<Record<string, string>> {
  const options = {
    index: bench.next.index.digest,
    scratch: bench.bench.dir,
    planned: chart.digest,
    verifier,
  };
  const { checks } = await verifyChart(registry, VERSION, options);
  return Object.fromEntries(checks.filter(({ ok }) => !ok).map(({ name, detail }) => [name, detail]));
}

describe('the chart of a release', () => {
  test('gets its tag after the exact one and before the range tags, and done again nothing is written', async () => {
    const prepared = await prepare('order');
    bench.proxy.seen = [];
    const applied = await publish(prepared);
    assert.deepEqual([applied.moved, applied.chart], [['v1.0.1', 'v1.0', 'v1', 'latest'], TAG]);
    const tags = bench.proxy.writes.slice(-5).map(({ path }) => path.split('/').at(-1));
    assert.deepEqual(tags, ['v1.0.1', TAG, 'v1.0', 'v1', 'latest']);
    const steps = await readJournal(join(prepared.dir, 'journal.jsonl'));
    assert.deepEqual(
      steps.filter(({ event }) => event === 'done').map(({ step }) => step),
      [
        ...['push', 'read back', 'push chart', 'read back chart', 'tag v1.0.1', `tag chart ${TAG}`],
        ...['tag v1.0', 'tag v1', 'tag latest'],
      ],
    );
    assert.deepEqual(await wrong(prepared.chart.registry), {});
    bench.proxy.seen = [];
    const again = await publish(prepared);
    assert.deepEqual([again.moved, again.chart, bench.proxy.writes], [[], undefined, []]);
  });

  test('is signed in its own repository, and verify tells what is wrong with it', async () => {
    const { dir } = bench.bench;
    const key = await SigningKey.make(dir);
    const prepared = await prepare('signed');
    const signed = await signedPlan(prepared.registry, 'v1.0.1', bench.next, key, dir);
    const plan: Plan = {
      ...signed.plan,
      ...(prepared.plan.chart === undefined ? {} : { chart: prepared.plan.chart }),
    };
    const applied = await publish({ ...prepared, plan }, { attest: signed.attest });
    assert.equal(applied.signed.at(-1), 'signature of the chart');
    const charts = prepared.chart.registry;
    assert.deepEqual(await wrong(charts, key), {});
    const [attached] = await charts.referrers(chart.digest);
    assert.equal(attached?.artifactType, BUNDLE_TYPE);
    const other = await SigningKey.make(dir);
    assert.deepEqual(Object.keys(await wrong(charts, other)), ['signature of the chart']);
    await charts.removeTag(chart.digest.replace(':', '-'));
    assert.deepEqual(await wrong(charts, key), { 'signature of the chart': 'there is none' });
    bench.proxy.seen = [];
    const again = await publish({ ...prepared, plan }, { attest: signed.attest });
    assert.deepEqual([again.signed, again.moved], [['signature of the chart'], []]);
    assert.deepEqual(await wrong(charts, key), {});
  });

  test('never changes: another one of the version is refused, when it is planned and when it came meanwhile', async () => {
    const [first, late] = [await prepare('immutable'), await prepare('immutable')];
    await publish(first);
    const { dir } = bench.bench;
    const other = await makeSmallChart(dir, 'v1.0.1', { digest: `sha256:${'0'.repeat(64)}` });
    const planned = planChart(other.chart, 'immutable-chart', first.chart.registry, VERSION);
    assert.equal((await failure(planned)).code, 'TAG_IMMUTABLE');
    const repository = 'immutable-chart';
    const move = { tag: TAG, from: null, to: other.chart.digest };
    const stale = { ...late, plan: { ...late.plan, chart: { repository, move } } };
    const release: ChartRelease = { registry: late.chart.registry, dir: other.layout };
    assert.equal((await failure(publish({ ...stale, chart: release }))).code, 'PLAN_STALE');
    assert.equal(await first.chart.registry.digestOf(TAG), chart.digest);
  });

  test('that is not the planned one, or was changed on the disk, is not pushed, nor is the image', async () => {
    const prepared = await prepare('other');
    const { dir } = bench.bench;
    const other = await makeSmallChart(dir, 'v1.0.1', { digest: `sha256:${'0'.repeat(64)}` });
    bench.proxy.seen = [];
    for (const folder of [other.layout, join(dir, 'none')]) {
      const release = { registry: prepared.chart.registry, dir: folder };
      const error = await failure(publish({ ...prepared, chart: release }));
      assert.equal(error.code, 'PLAN_INVALID');
      assert.match(error.message, /chart of v1\.0\.1 is not the one that was planned/);
    }
    assert.deepEqual(bench.proxy.writes, []);
  });

  test('of another image, of another version, or that is gone is told by verify', async () => {
    const charts = await repositoryAt(bench.host, 'lies-chart');
    assert.match((await wrong(charts)).chart ?? '', /lies-chart:1\.0\.1 is absent/);
    const digest = `sha256:${'0'.repeat(64)}`;
    const lie = await makeSmallChart(bench.bench.dir, 'v1.0.2', { tag: 'v1.0.1', digest });
    await charts.push(lie.layout, lie.chart.digest);
    await charts.tag(TAG, lie.chart.digest);
    assert.deepEqual(await wrong(charts), {
      'chart version': 'it says that it is 1.0.2',
      'chart image': `it runs v1.0.1@${digest}`,
      'chart plan': `the plan of this machine says ${chart.digest}`,
    });
  });

  test('of an earlier rehearsal makes room for another', async () => {
    const { chart: release } = await prepare('room');
    await release.registry.push(release.dir, chart.digest);
    await release.registry.tag(TAG, chart.digest);
    assert.deepEqual(await forgetRehearsal(release.registry, TAG, chart.digest), []);
    assert.deepEqual(await forgetRehearsal(release.registry, TAG, `sha256:${'0'.repeat(64)}`), [TAG]);
    assert.equal(await release.registry.digestOf(TAG), undefined);
  });
});

/**
 * As transaction.itg kills a publish at each request, this kills those by which the chart and the tags are written: what
 * is only read in between leaves the registry as it is.
 */
describe('a publish with a chart that is killed at any write', () => {
  let script: string;
  let undisturbed: readonly Seen[];
  before(async () => {
    script = join(bench.bench.dir, 'publish.mjs');
    await bundlePublish(script);
    const prepared = await prepare('undisturbed');
    bench.proxy.seen = [];
    const [code] = await once(launch(prepared), 'exit');
    assert.equal(code, 0);
    undisturbed = bench.proxy.seen;
  });

  const launch = ({ repository, planPath, dir }: Awaited<ReturnType<typeof prepare>>) =>
    launchPublish(script, {
      ...{ host: bench.host, repository, plan: planPath, dir },
      ...{ layout: bench.next.dir, chart: layout },
    });
  const isTag = ({ method, path }: Seen) => method === 'PUT' && /\/manifests\/(?!sha256:)/.test(path);
  const counts = (seen: Seen) => isWrite(seen) && (seen.path.includes('-chart/') || isTag(seen));

  /** A chart that can be had is whole and of a version that can be had; `latest` leads to no release without one. */
  async function assertNoLie(repository: string): Promise<void> {
    const tags = await bench.tagsOf(repository, ['v1.0.1', 'latest']);
    const charts = `${repository}-chart`;
    const there = (await bench.tagsOf(charts, [TAG])).get(TAG);
    if (tags.get('latest') === bench.next.index.digest) assert.equal(there, chart.digest);
    if (there === undefined) return;
    assert.equal(there, chart.digest);
    assert.equal(tags.get('v1.0.1'), bench.next.index.digest);
    const blobs = [...chart.blobs.keys()].filter((digest) => digest !== chart.digest);
    assert.deepEqual(await bench.blobsIn(charts, blobs), blobs);
  }

  const MODES = [
    ['reset', 'before it reaches the registry'],
    ['swallow-answer', 'when it had its effect, its answer lost'],
  ] as const;
  for (const [mode, when] of MODES) {
    test(`${when}: the next run ends in the same state, and sends nothing twice`, async (t) => {
      const requests = undisturbed.filter(counts).length;
      assert.ok(requests >= 8, `an undisturbed publish made ${requests} of them`);
      const { proxy } = bench;
      let [killed, repeated] = [0, 0];
      for (let at = 1; at <= requests; at += 1) {
        const prepared = await prepare(`${mode}-${at}`);
        await killedAt(proxy, launch(prepared), { at, mode, counts });
        killed += 1;
        await assertNoLie(prepared.repository);
        const there = await bench.blobsIn(`${prepared.repository}-chart`, [...chart.blobs.keys()]);
        proxy.seen = [];
        await publish(prepared);
        const again = sentAgain(proxy, there);
        repeated += again.length;
        assert.deepEqual(again, [], `sent again after write ${at}`);
        await bench.assertReleased(prepared.repository, `after write ${at}`);
        assert.equal(await prepared.chart.registry.digestOf(TAG), chart.digest);
      }
      countFaults(t, `A publish with a chart killed at a write, ${when}`, killed, {
        'uploads repeated': repeated,
      });
    });
  }
});
