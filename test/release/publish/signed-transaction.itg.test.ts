import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { Attestation } from '../../../src/release/publish/publish.ts';
import { countFaults } from '../../count-faults.ts';
import { isWrite, type Seen } from '../registry/proxy.ts';
import { KnownBundles } from '../signing/known-bundles.ts';
import { SigningKey, signedPlan } from '../signing/signing-fixture.ts';
import { bundlePublish, killedAt, launchPublish, sentAgain } from './kill.ts';
import { apply, repositoryAt } from './release-fixture.ts';
import { type Prepared, TransactionBench } from './transaction-bench.ts';

/** The last write, what is attached to both parts, and the first bundle. */
const READ_BACK = 7;

/**
 * As transaction.itg kills a publish at each of its requests, this kills those by which what was signed is attached and
 * read back. What is attached to one part after the other is attached by the same requests: each that differs is killed
 * once, from the first that asks what is there to the last of the second attachment, and then the last write and what
 * reads it back. The image, of one platform, is in the registry before, and gets one tag.
 */
describe('a publish that signs and is killed at any request', () => {
  let bench: TransactionBench;
  let signed: string;
  /** Of what cosign signed, for the run that goes on in this process. */
  let attest: Attestation;
  let bundles: readonly string[];
  let script: string;
  let undisturbed: readonly Seen[] = [];
  /** What is attached to the index and to the platform in the end. */
  let attached: readonly (readonly string[])[];
  before(async () => {
    bench = await TransactionBench.open({ platforms: ['linux/amd64'] });
    const { dir } = bench.bench;
    const key = await SigningKey.make(dir);
    const template = await repositoryAt(bench.host, 'template');
    const cosigned = await signedPlan(template, 'v1.0.1', bench.next, key, dir);
    bench.plan = { ...cosigned.plan, moves: cosigned.plan.moves.slice(0, 1) };
    signed = cosigned.attest.kept;
    // Signed by cosign, once; all others attach what it signed.
    const first = await bench.prepare('first');
    await apply(first.plan, await repositoryAt(bench.host, 'first'), first.dir, bench.next, cosigned);
    attached = await attachedIn('first');
    await KnownBundles.keep(signed, cosigned.attest.planned);
    attest = await KnownBundles.attestation(signed);
    bundles = await digestsOf(signed);
    await template.push(bench.next.dir, bench.next.index.digest);
    script = join(bench.bench.dir, 'publish.mjs');
    await bundlePublish(script);
    bench.proxy.seen = [];
    const [code] = await once(launch('undisturbed', await bench.prepare('undisturbed')), 'exit');
    assert.equal(code, 0);
    undisturbed = signingOnly(bench.proxy.seen);
    assert.deepEqual(await attachedIn('undisturbed'), attached);
    assert.deepEqual(
      attached.map((list) => list.length),
      [2, 3],
    );
  });
  after(() => bench.close());

  function launch(repository: string, { planPath, dir }: Prepared) {
    const work = { host: bench.host, repository, plan: planPath, layout: bench.next.dir, dir, signed };
    return launchPublish(script, work);
  }

  async function tagIn(repository: string): Promise<string | undefined> {
    return (await bench.tagsOf(repository, ['v1.0.1'])).get('v1.0.1');
  }

  async function attachedIn(repository: string): Promise<string[][]> {
    const registry = await repositoryAt(bench.bench.embedded.host, repository);
    const { index, platforms } = bench.next;
    const subjects = [index.digest, ...platforms.map(({ digest }) => digest)];
    const lists = await Promise.all(subjects.map((subject) => registry.referrers(subject)));
    return lists.map((list) => list.map(({ digest }) => digest).sort());
  }

  const MODES = [
    ['reset', 'before it reaches the registry', () => true],
    ['swallow-answer', 'after it wrote, its answer lost', isWrite],
  ] as const;
  for (const [mode, when, counts] of MODES) {
    test(`${when}: no tag has moved, and the next run attaches the rest, each once`, async (t) => {
      const points = pointsIn(undisturbed, counts);
      assert.ok(points.length > 10, `an undisturbed publish made ${points.length} such requests`);
      const { proxy } = bench;
      let [killed, repeated] = [0, 0];
      for (const at of points) {
        const repository = `${mode}-${at}`;
        const prepared = await bench.prepare(repository);
        let signing = false;
        const countsNow = (request: Seen) => {
          signing ||= isFirst(request);
          return signing && counts(request);
        };
        await killedAt(proxy, launch(repository, prepared), { at, mode, counts: countsNow });
        killed += 1;
        assert.equal(await tagIn(repository), undefined);

        const there = await bench.blobsIn(repository, bundles);
        proxy.seen = [];
        const registry = await repositoryAt(bench.host, repository);
        await apply(prepared.plan, registry, prepared.dir, bench.next, { attest });
        const again = sentAgain(proxy, there);
        repeated += again.length;
        assert.deepEqual(again, [], `bundles sent again after request ${at}`);
        assert.equal(await tagIn(repository), bench.next.index.digest);
        assert.deepEqual(await attachedIn(repository), attached, `attached after request ${at}`);
      }
      countFaults(t, `A publish that signs killed at a request, ${when}`, killed, {
        'bundles sent twice': repeated,
      });
    });
  }
});

/** The digest of every bundle in a folder. */
async function digestsOf(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sigstore.json'));
  const files = await Promise.all(names.map((name) => readFile(join(folder, name))));
  return files.map((file) => `sha256:${createHash('sha256').update(file).digest('hex')}`);
}

/** The numbers, among those that count, of the requests at which a run is killed. */
function pointsIn(seen: readonly Seen[], counts: (seen: Seen) => boolean): number[] {
  const isSubject = ({ method, path }: Seen) => method === 'HEAD' && path.includes('/manifests/');
  const third = seen.flatMap((request, n) => (isSubject(request) ? [n] : []))[2] ?? 0;
  const lastWrite = seen.findLastIndex(isWrite);
  const numbered = seen.map((request, n) => ({ request, n })).filter(({ request }) => counts(request));
  return numbered.flatMap(({ n }, number) =>
    n < third || (n >= lastWrite && n < lastWrite + READ_BACK) ? [number + 1] : [],
  );
}

/** The requests from the first that asks what is attached to the last before the first tag. */
function signingOnly(seen: readonly Seen[]): Seen[] {
  const from = seen.findIndex(isFirst);
  const to = seen.findIndex(({ method, path }) => method === 'PUT' && path.endsWith('/manifests/v1.0.1'));
  return seen.slice(from, to);
}

function isFirst({ path }: Seen): boolean {
  return path.includes('/referrers/');
}
