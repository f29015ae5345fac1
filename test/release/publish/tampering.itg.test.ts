import assert from 'node:assert/strict';
import { cp, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { Layout } from '../../../src/release/image/layout.ts';
import { examineRelease } from '../../../src/release/publish/attest.ts';
import { forgetRehearsal } from '../../../src/release/publish/prepare.ts';
import { planPromotion, planRollback } from '../../../src/release/publish/rollback.ts';
import { assertVerified, verifyRelease } from '../../../src/release/publish/verify.ts';
import type { Registry } from '../../../src/release/registry/registry.ts';
import { BUNDLE_TYPE, PREDICATE, readBundle, statementOn } from '../../../src/release/signing/statement.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';
import { countFaults } from '../../count-faults.ts';
import { POLICY } from '../config/defaults.ts';
import { failure } from '../machine/failure.ts';
import { SigningKey, signedPlan } from '../signing/signing-fixture.ts';
import { apply, type Bench, makeLayout, openBench, repositoryAt } from './release-fixture.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'];
const BUILDER = 'https://builder.example/test';
const SBOM = 'SBOM of linux/amd64 (CycloneDX)';
type Type = (typeof PREDICATE)[keyof typeof PREDICATE];

let bench: Bench;
let registry: Registry;
let layout: Layout;
let key: SigningKey;
let other: SigningKey;
/** Of another release by the same key. */
let next: Layout;
before(async () => {
  bench = await openBench();
  registry = await repositoryAt(bench.embedded.host, 'thoth');
  [key, other] = await Promise.all([SigningKey.make(bench.dir), SigningKey.make(bench.dir)]);
  layout = await makeLayout(bench, 'v1.0.0');
  next = await makeLayout(bench, 'v1.1.0');
  for (const [version, image] of [
    ['v1.0.0', layout],
    ['v1.1.0', next],
  ] as const) {
    const { plan, attest } = await signedPlan(registry, version, image, key, bench.dir);
    await apply(plan, registry, await mkdtemp(join(bench.dir, 'run-')), image, { attest });
  }
});
after(() => bench.close());

/** What is wrong with what is attached to v1.0.0, by name, and why. */
async function wrong(): Promise<Record<string, string>> {
  const { index, platforms } = layout;
  const revision = '0123456789abcdef0123456789abcdef01234567';
  const released = { version: 'v1.0.0', index: index.digest, platforms, revision, builder: BUILDER };
  const checks = await examineRelease(registry, released, key);
  return Object.fromEntries(checks.filter(({ ok }) => !ok).map(({ name, detail }) => [name, detail]));
}

async function bundlesOn(subject: string): Promise<string[]> {
  const texts = (await registry.referrers(subject)).map(({ digest }) => registry.artifact(digest));
  return (await Promise.all(texts)).filter((text) => text !== undefined);
}

async function bundleOf(subject: string, type: Type): Promise<string> {
  const found = (await bundlesOn(subject)).find((text) => isOf(text, type));
  assert.ok(found !== undefined);
  return found;
}

function isOf(text: string, type: Type): boolean {
  return readBundle(text)?.statement.predicateType === type;
}

/** Has exactly these attached to a digest. */
async function replaceAll(subject: string, bundles: readonly string[]): Promise<void> {
  await registry.removeTag(subject.replace(':', '-'));
  for (const bundle of bundles) {
    const file = join(await mkdtemp(join(bench.dir, 'bundle-')), 'bundle.json');
    await writeFile(file, bundle);
    await registry.attach({ subject, file, type: BUNDLE_TYPE, annotations: {} });
  }
}

let copies = 0;
/** A repository that holds what was released, to be changed: a copy of its links on the disk. */
async function copied(): Promise<Registry> {
  copies += 1;
  const store = join(bench.dir, 'registry/docker/registry/v2/repositories');
  await cp(join(store, 'thoth'), join(store, `copy-${copies}`), { recursive: true });
  return repositoryAt(bench.embedded.host, `copy-${copies}`);
}

/** Puts other bundles in the place of the one of a type. */
async function replaceOne(subject: string, type: Type, ...by: readonly string[]) {
  const rest = (await bundlesOn(subject)).filter((text) => !isOf(text, type));
  return replaceAll(subject, [...rest, ...by]);
}

/** A bundle with another payload under the same signature. */
function withPayload(bundle: string, edit: (statement: string) => string): string {
  const json = JSON.parse(bundle);
  const payload = Buffer.from(json.dsseEnvelope.payload, 'base64').toString();
  json.dsseEnvelope.payload = Buffer.from(edit(payload)).toString('base64');
  return JSON.stringify(json);
}

/** A bundle whose signature has one bit flipped, and is still the form of one. */
function withFlippedSignature(bundle: string): string {
  const json = JSON.parse(bundle);
  const [signature] = json.dsseEnvelope.signatures;
  const bytes = Buffer.from(signature.sig, 'base64');
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  signature.sig = bytes.toString('base64');
  return JSON.stringify(json);
}

/** The statement of a bundle, edited, signed as it should be. */
async function signedAnew(bundle: string, edit: (statement: string) => string, by = key): Promise<string> {
  return by.sign(edit(JSON.stringify(readBundle(bundle)?.statement)));
}

/** Each test has a copy of its own. */
beforeEach(async () => {
  registry = await copied();
});

describe('what somebody changed in the registry', () => {
  const index = () => layout.index.digest;
  const amd64 = () => layout.platforms[0]?.digest ?? '';
  const arm64 = () => layout.platforms[1]?.digest ?? '';

  test('is nothing, at first', async () => assert.deepEqual(await wrong(), {}));

  /** What is done, what of the release it is told by, and why. */
  const CASES: readonly (readonly [string, () => Promise<void>, string, RegExp])[] = [
    [
      'a signature that was changed',
      async () =>
        replaceOne(
          amd64(),
          PREDICATE.signature,
          withFlippedSignature(await bundleOf(amd64(), PREDICATE.signature)),
        ),
      'signature of linux/amd64',
      /could not verify envelope/,
    ],
    [
      'a signature by another key',
      async () =>
        replaceOne(
          index(),
          PREDICATE.signature,
          await signedAnew(await bundleOf(index(), PREDICATE.signature), (text) => text, other),
        ),
      'signature of the index',
      /another key/,
    ],
    [
      'a signature of another release',
      async () =>
        replaceOne(index(), PREDICATE.signature, await bundleOf(next.index.digest, PREDICATE.signature)),
      'signature of the index',
      /does not match any digest/,
    ],
    [
      'a signature that was removed, where an SBOM by the same key is still there',
      async () => replaceOne(arm64(), PREDICATE.signature),
      'signature of linux/arm64',
      /there is none/,
    ],
    [
      'the SBOM of another platform',
      async () => replaceOne(amd64(), PREDICATE.cyclonedx, await bundleOf(arm64(), PREDICATE.cyclonedx)),
      SBOM,
      /does not match any digest/,
    ],
    [
      'an SBOM that was changed',
      async () =>
        replaceOne(
          amd64(),
          PREDICATE.cyclonedx,
          withPayload(await bundleOf(amd64(), PREDICATE.cyclonedx), (text) => text.replace('"1.6"', '"1.5"')),
        ),
      SBOM,
      /could not verify envelope/,
    ],
    [
      'an SBOM of another image, signed for this one',
      async () => {
        const sbom = readBundle(await bundleOf(arm64(), PREDICATE.cyclonedx))?.statement.predicate;
        const statement = statementOn([amd64()], PREDICATE.cyclonedx, sbom);
        return replaceOne(amd64(), PREDICATE.cyclonedx, await key.sign(JSON.stringify(statement)));
      },
      SBOM,
      /it is of registry\.example\/thoth@sha256:/,
    ],
    [
      'an SBOM in the place of the provenance',
      async () => replaceOne(index(), PREDICATE.provenance, await bundleOf(amd64(), PREDICATE.spdx)),
      'provenance',
      /there is none/,
    ],
    [
      'the provenance of another release',
      async () =>
        replaceOne(index(), PREDICATE.provenance, await bundleOf(next.index.digest, PREDICATE.provenance)),
      'provenance',
      /does not match any digest/,
    ],
    [
      'a provenance of another commit, signed by the same key',
      async () => {
        const edit = (text: string) => text.replaceAll('0123456789abcdef', 'fedcba9876543210');
        return replaceOne(
          index(),
          PREDICATE.provenance,
          await signedAnew(await bundleOf(index(), PREDICATE.provenance), edit),
        );
      },
      'provenance',
      /it is of commit fedcba/,
    ],
    [
      'a provenance of another builder, signed by the same key',
      async () => {
        const edit = (text: string) => text.replaceAll(BUILDER, 'https://builder.example/other');
        return replaceOne(
          index(),
          PREDICATE.provenance,
          await signedAnew(await bundleOf(index(), PREDICATE.provenance), edit),
        );
      },
      'provenance',
      /its builder is https:\/\/builder\.example\/other/,
    ],
    [
      'a provenance that leaves a platform out',
      async () => {
        const edit = (text: string) => {
          const statement = JSON.parse(text);
          return JSON.stringify({ ...statement, subject: statement.subject.slice(0, 2) });
        };
        return replaceOne(
          index(),
          PREDICATE.provenance,
          await signedAnew(await bundleOf(index(), PREDICATE.provenance), edit),
        );
      },
      'provenance',
      /it is not about sha256:/,
    ],
    [
      'what is no bundle',
      async () =>
        replaceOne(
          index(),
          PREDICATE.signature,
          '{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}',
        ),
      'signature of the index',
      /there is none/,
    ],
  ];
  for (const [what, tamper, name, why] of CASES) {
    test(`${what} is told by name`, async (t) => {
      await tamper();
      const found = await wrong();
      assert.deepEqual(Object.keys(found), [name]);
      assert.match(found[name] ?? '', why);
      countFaults(t, 'What is attached to a release changed, swapped, forged or removed', 1, {
        untold: 1 - Object.keys(found).length,
      });
    });
  }

  test('all that is attached gone is told by each name', async () => {
    for (const subject of [index(), amd64(), arm64()]) await replaceAll(subject, []);
    const found = await wrong();
    const verified = await verifyRelease(registry, parseVersion('v1.0.0'), {
      platforms: PLATFORMS,
      policy: POLICY,
      scratch: bench.dir,
      signed: { verifier: key, builder: BUILDER },
    });
    assert.equal(Object.keys(found).length, 8);
    assert.deepEqual([...new Set(Object.values(found))], ['there is none']);
    const error = await failure(() => assertVerified(verified));
    assert.deepEqual([error.code, error.exitCode], ['VERIFY_FAILED', 6]);
    assert.deepEqual(
      error.details,
      Object.entries(found).map(([name, why]) => `${name}: ${why}`),
    );
  });

  test('what others attach beside changes nothing', async () => {
    const mine = await bundlesOn(index());
    const signature = await bundleOf(index(), PREDICATE.signature);
    const theirs = await signedAnew(signature, (text) => text, other);
    await replaceAll(index(), [theirs, 'nothing', withFlippedSignature(signature), ...mine]);
    assert.deepEqual(await wrong(), {});
  });
});

describe('a release that lacks a signature', () => {
  test('is given it by the next run, and nothing besides', async () => {
    const { plan, attest } = await signedPlan(registry, 'v1.0.0', layout, key, bench.dir);
    await replaceOne(layout.index.digest, PREDICATE.signature);
    const dir = await mkdtemp(join(bench.dir, 'run-'));
    const { moved, signed } = await apply(plan, registry, dir, layout, { attest });
    assert.deepEqual([moved, signed], [[], ['signature of the index']]);
    assert.deepEqual(await wrong(), {});
  });

  test('moves no tag where somebody else signs it', async () => {
    const image = await makeLayout(bench, 'v1.2.0');
    const { plan, attest } = await signedPlan(registry, 'v1.2.0', image, key, bench.dir);
    const forged = { ...attest, notary: { sign: other.sign.bind(other), verify: key.verify.bind(key) } };
    const dir = await mkdtemp(join(bench.dir, 'run-'));
    const error = await failure(apply(plan, registry, dir, image, { attest: forged }));
    assert.equal(error.code, 'VERIFY_FAILED');
    assert.match(error.details.join('\n'), /signature of the index: it is signed with another key/);
    assert.equal(await registry.digestOf('v1.2.0'), undefined);
  });
});

describe('tags that move', () => {
  test('back and to a channel leave every signature where it is', async () => {
    const target = { registry: bench.embedded.host, repository: 'thoth', rehearsal: false };
    for (const plan of [
      await planRollback(registry, target, parseVersion('v1.0.0')),
      await planPromotion(registry, target, parseVersion('v1.0.0'), 'stable'),
    ]) {
      const { signed, moved } = await apply(plan, registry, await mkdtemp(join(bench.dir, 'run-')));
      assert.ok(moved.length > 0);
      assert.deepEqual(signed, []);
    }
    assert.deepEqual(await wrong(), {});
  });

  test('with a rehearsal that is done again take the lists of what was attached along', async () => {
    const before = await registry.tags();
    const removed = await forgetRehearsal(registry, 'v1.1.0', `sha256:${'0'.repeat(64)}`);
    assert.deepEqual(removed.toSorted(), ['latest', 'v1', 'v1.1', 'v1.1.0']);
    const gone = before.filter((tag) => tag.startsWith('sha256-')).length - 3;
    assert.equal((await registry.tags()).filter((tag) => tag.startsWith('sha256-')).length, gone);
    assert.deepEqual(await wrong(), {});
  });
});
