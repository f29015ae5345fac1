import assert from 'node:assert/strict';
import { mkdtemp, open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { type ErrorCode, ReleaseError } from '../../../src/release/errors.ts';
import { blobPath, type Layout } from '../../../src/release/image/layout.ts';
import { currentTags } from '../../../src/release/publish/current-tags.ts';
import type { Applied } from '../../../src/release/publish/publish.ts';
import { planPromotion, planRollback } from '../../../src/release/publish/rollback.ts';
import { assertVerified, verifyRelease } from '../../../src/release/publish/verify.ts';
import type { Registry } from '../../../src/release/registry/registry.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';
import { countFaults } from '../../count-faults.ts';
import { POLICY } from '../config/defaults.ts';
import { answer, FaultProxy } from '../registry/proxy.ts';
import { apply, type Bench, makeLayout, openBench, planFor, repositoryAt } from './release-fixture.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'];
const coded = (code: ErrorCode) => (error: unknown) => error instanceof ReleaseError && error.code === code;

describe('a release in a real registry', () => {
  let bench: Bench;
  let proxy: FaultProxy;
  let host: string;
  before(async () => {
    bench = await openBench();
    proxy = new FaultProxy(bench.embedded.host);
    host = await proxy.start();
  });
  after(async () => {
    await proxy.stop();
    await bench.close();
  });

  const folder = () => mkdtemp(join(bench.dir, 'run-'));
  async function release(registry: Registry, version: string, layout?: Layout): Promise<Applied> {
    const image = layout ?? (await makeLayout(bench, version));
    return apply(await planFor(registry, version, image), registry, await folder(), image);
  }
  async function tagsIn(registry: Registry): Promise<Record<string, string | undefined>> {
    return Object.fromEntries(await currentTags(registry, (await registry.tags()).sort()));
  }

  test('is pushed by digest, then tagged, latest last', async () => {
    const registry = await repositoryAt(host, 'order');
    const layout = await makeLayout(bench, 'v1.0.0');
    proxy.seen = [];
    await release(registry, 'v1.0.0', layout);
    const manifests = proxy.writes.map(({ path }) => path).filter((path) => path.includes('/manifests/'));
    assert.deepEqual(
      manifests.slice(-5).map((path) => path.split('/').at(-1)),
      [layout.index.digest, 'v1.0.0', 'v1.0', 'v1', 'latest'],
    );
  });

  test('done again writes nothing at all', async () => {
    const registry = await repositoryAt(host, 'again');
    const layout = await makeLayout(bench, 'v1.0.0');
    await release(registry, 'v1.0.0', layout);
    proxy.seen = [];
    const { moved, inPlace } = await release(registry, 'v1.0.0', layout);
    assert.deepEqual([moved, inPlace], [[], ['v1.0.0', 'v1.0', 'v1', 'latest']]);
    assert.deepEqual(proxy.writes, []);
  });

  test('of other content under a released version is refused, and nothing moves', async () => {
    const registry = await repositoryAt(host, 'immutable');
    await release(registry, 'v1.0.0');
    const earlier = await tagsIn(registry);
    const other = await makeLayout(bench, 'v1.0.0', { layers: [{ 'app/other': 'other\n' }] });
    proxy.seen = [];
    await assert.rejects(release(registry, 'v1.0.0', other), coded('TAG_IMMUTABLE'));
    assert.deepEqual(proxy.writes, []);
    assert.deepEqual(await tagsIn(registry), earlier);
  });

  test('of a patch of an old line leaves latest and the newer line alone', async () => {
    const registry = await repositoryAt(host, 'oldline');
    await release(registry, 'v1.0.0');
    await release(registry, 'v2.0.0');
    const earlier = await tagsIn(registry);
    const { moved } = await release(registry, 'v1.0.1');
    assert.deepEqual(moved, ['v1.0.1', 'v1.0', 'v1']);
    const later = await tagsIn(registry);
    for (const tag of ['latest', 'v2', 'v2.0', 'v2.0.0', 'v1.0.0'])
      assert.equal(later[tag], earlier[tag], tag);
  });

  test('by a stale plan is refused before it writes', async () => {
    const registry = await repositoryAt(host, 'stale');
    const layout = await makeLayout(bench, 'v1.0.0');
    const plan = await planFor(registry, 'v1.0.0', layout);
    await release(registry, 'v1.1.0');
    proxy.seen = [];
    await assert.rejects(apply(plan, registry, await folder(), layout), coded('PLAN_STALE'));
    assert.deepEqual(proxy.writes, []);
  });

  test('of a layout with one flipped byte, in any blob, is stopped before it writes', async (t) => {
    const registry = await repositoryAt(host, 'flipped');
    const layout = await makeLayout(bench, 'v1.0.0');
    const plan = await planFor(registry, 'v1.0.0', layout);
    let [flipped, written] = [0, 0];
    for (const { digest } of layout.blobs) {
      const path = blobPath(layout.dir, digest);
      for (const position of [0, Math.floor((await stat(path)).size / 2), (await stat(path)).size - 1]) {
        const unflip = await flip(path, position);
        proxy.seen = [];
        await assert.rejects(apply(plan, registry, await folder(), layout), coded('LAYOUT_CORRUPT'));
        assert.deepEqual(proxy.writes, []);
        written += proxy.writes.length;
        flipped += 1;
        await unflip();
      }
    }
    countFaults(t, 'A byte of the layout flipped after it was scanned', flipped, {
      'requests that wrote': written,
    });
    assert.deepEqual(await registry.tags(), []);
    await apply(plan, registry, await folder(), layout);
  });

  test('is refused where the layout is another than the plan names', async () => {
    const registry = await repositoryAt(host, 'other');
    const plan = await planFor(registry, 'v1.0.0', await makeLayout(bench, 'v1.0.0'));
    const other = await makeLayout(bench, 'v1.0.0', { layers: [{ x: 'y' }] });
    await assert.rejects(apply(plan, registry, await folder(), other), coded('PLAN_INVALID'));
  });

  test('moves no tag where the registry serves other bytes than were pushed', async () => {
    const registry = await repositoryAt(host, 'liar');
    const layout = await makeLayout(bench, 'v1.0.0');
    const [layer] = layout.platforms[1]?.layers ?? [];
    proxy.fault = ({ method, path }) =>
      method === 'GET' && path.endsWith(layer?.digest ?? '-')
        ? (response) =>
            void response.writeHead(200, { 'content-type': 'application/octet-stream' }).end('lie')
        : undefined;
    await assert.rejects(release(registry, 'v1.0.0', layout), (error) => error instanceof ReleaseError);
    proxy.fault = () => undefined;
    assert.deepEqual(await registry.tags(), []);
  });

  test('is verified from the registry alone', async () => {
    const registry = await repositoryAt(host, 'verified');
    const layout = await makeLayout(bench, 'v1.0.0');
    await release(registry, 'v1.0.0', layout);
    const found = await verifyRelease(registry, parseVersion('v1.0.0'), {
      platforms: PLATFORMS,
      policy: POLICY,
      scratch: await folder(),
    });
    assertVerified(found);
    assert.equal(found.index, layout.index.digest);
    assert.deepEqual(
      found.tags.map(({ tag, digest }) => [tag, digest]),
      ['v1.0.0', 'v1.0', 'v1', 'latest'].map((tag) => [tag, layout.index.digest]),
    );
    await assert.rejects(
      verifyRelease(registry, parseVersion('v9.9.9'), {
        policy: POLICY,
        platforms: PLATFORMS,
        scratch: bench.dir,
      }),
      coded('VERIFY_FAILED'),
    );
  });

  test('that says another version, or lacks a platform, does not pass verification', async () => {
    const registry = await repositoryAt(host, 'wrong');
    const layout = await makeLayout(bench, 'v1.0.0', { platforms: ['linux/amd64'], version: '1.0.9' });
    await registry.push(layout.dir, layout.index.digest);
    await registry.tag('v1.0.0', layout.index.digest);
    const found = await verifyRelease(registry, parseVersion('v1.0.0'), {
      platforms: PLATFORMS,
      policy: POLICY,
      scratch: await folder(),
    });
    const wrong = found.checks.filter((check) => !check.ok).map((check) => check.name);
    assert.deepEqual(wrong, ['platforms', 'image policy', 'tag v1.0', 'tag v1', 'tag latest']);
    assert.throws(() => assertVerified(found), coded('VERIFY_FAILED'));
  });

  test('is rolled back by moving the range tags, and nothing else', async () => {
    const registry = await repositoryAt(host, 'rollback');
    for (const version of ['v1.0.0', 'v1.0.1', 'v1.1.0', 'v2.0.0']) await release(registry, version);
    const earlier = await tagsIn(registry);
    const target = { registry: host, repository: 'rollback', rehearsal: false };
    const plan = await planRollback(registry, target, parseVersion('v1.0.0'));
    assert.deepEqual(
      plan.moves.map((move) => move.tag),
      ['v1.0.0', 'v1.0', 'v1', 'latest'],
    );
    proxy.seen = [];
    const dir = await folder();
    assert.deepEqual((await apply(plan, registry, dir)).moved, ['v1.0', 'v1', 'latest']);
    assert.ok(proxy.writes.every(({ method, path }) => method === 'PUT' && path.includes('/manifests/')));
    const later = await tagsIn(registry);
    for (const tag of ['v1.0', 'v1', 'latest']) assert.equal(later[tag], earlier['v1.0.0'], tag);
    for (const tag of ['v1.0.0', 'v1.0.1', 'v1.1', 'v1.1.0', 'v2', 'v2.0', 'v2.0.0']) {
      assert.equal(later[tag], earlier[tag], tag);
    }
    const journal = (await readFile(join(dir, 'journal.jsonl'), 'utf8')).trim().split('\n');
    assert.equal(JSON.parse(journal.at(-1) ?? '').event, 'end');
    await assert.rejects(
      planRollback(registry, target, parseVersion('v1.0.7')),
      coded('VERIFY_FAILED'),
      'a version that was never released',
    );
    await assert.rejects(planRollback(registry, target, parseVersion('v1.0.0-rc.1')), coded('USAGE'));
  });

  test('is promoted to a channel', async () => {
    const registry = await repositoryAt(host, 'promote');
    await release(registry, 'v1.1.0-rc.1');
    const target = { registry: host, repository: 'promote', rehearsal: false };
    const plan = await planPromotion(registry, target, parseVersion('v1.1.0-rc.1'), 'next');
    assert.deepEqual((await apply(plan, registry, await folder())).moved, ['next']);
    const tags = await tagsIn(registry);
    assert.equal(tags.next, tags['v1.1.0-rc.1']);
  });

  const REFUSALS: readonly [number, ErrorCode, number][] = [
    [401, 'REGISTRY_DENIED', 1],
    [403, 'REGISTRY_DENIED', 1],
    [400, 'REGISTRY_FAILED', 1],
    [503, 'REGISTRY_UNREACHABLE', 3],
  ];
  for (const [status, code, tries] of REFUSALS) {
    test(`a registry that answers ${status} is asked ${tries} time(s) and reported as ${code}`, async () => {
      const registry = await repositoryAt(host, `status-${status}`, { attempts: 3 });
      proxy.seen = [];
      proxy.fault = () => answer(status);
      await assert.rejects(registry.digestOf('v1.0.0'), coded(code));
      proxy.fault = () => undefined;
      assert.equal(proxy.seen.length, tries);
    });
  }

  test('nothing that was read back is left behind', async () => {
    assert.deepEqual(
      (await readdir(bench.dir)).filter((name) => name.startsWith('read-back-')),
      [],
    );
  });
});

/** Flips one bit of a file. @returns what puts it back */
async function flip(path: string, position: number): Promise<() => Promise<void>> {
  const change = async () => {
    const file = await open(path, 'r+');
    const { buffer } = await file.read(Buffer.alloc(1), 0, 1, position);
    buffer[0] = (buffer[0] ?? 0) ^ 1;
    await file.write(buffer, 0, 1, position);
    await file.close();
  };
  await change();
  return change;
}
