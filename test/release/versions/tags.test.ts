import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { ReleaseError } from '../../../src/release/errors.ts';
import { isMovable, parseChannel, tagsFor } from '../../../src/release/versions/tags.ts';
import { compareVersions, parseVersion, type Version } from '../../../src/release/versions/version.ts';

/** OCI distribution spec v1.1, "pulling manifests". */
const OCI_TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;

const CASES: readonly [string, string, readonly string[], string | undefined, readonly string[]][] = [
  ['the first release', 'v1.0.0', [], undefined, ['v1.0.0', 'v1.0', 'v1', 'latest']],
  ['a patch of the newest line', 'v1.0.1', ['v1.0.0'], undefined, ['v1.0.1', 'v1.0', 'v1', 'latest']],
  ['a patch of an old major', 'v1.0.1', ['v1.0.0', 'v2.0.0'], undefined, ['v1.0.1', 'v1.0', 'v1']],
  ['a patch of an old minor', 'v1.0.1', ['v1.0.0', 'v1.1.0'], undefined, ['v1.0.1', 'v1.0']],
  ['a patch below the newest patch', 'v1.0.1', ['v1.0.2'], undefined, ['v1.0.1']],
  ['a new minor of an old major', 'v1.1.0', ['v1.0.0', 'v2.0.0'], undefined, ['v1.1.0', 'v1.1', 'v1']],
  ['major 0 has no v0', 'v0.3.1', ['v0.3.0'], undefined, ['v0.3.1', 'v0.3', 'latest']],
  ['a pre-release keeps its v', 'v1.0.0-rc.1', [], undefined, ['v1.0.0-rc.1']],
  ['a pre-release on a channel', 'v1.1.0-rc.1', ['v1.0.0'], 'next', ['v1.1.0-rc.1', 'next']],
  ['a pre-release of an old line', 'v1.0.1-rc.1', ['v1.1.0'], 'next', ['v1.0.1-rc.1']],
  ['an older pre-release', 'v1.0.0-rc.1', ['v1.0.0-rc.2'], 'next', ['v1.0.0-rc.1']],
  ['a stable release takes no channel', 'v1.0.0', [], 'next', ['v1.0.0', 'v1.0', 'v1', 'latest']],
  ['a pre-release above it', 'v1.0.0', ['v1.1.0-rc.1'], undefined, ['v1.0.0', 'v1.0', 'v1', 'latest']],
  ['itself among the existing', 'v1.0.0', ['v1.0.0'], undefined, ['v1.0.0', 'v1.0', 'v1', 'latest']],
  ['numbers, not text', 'v1.10.0', ['v1.9.0'], undefined, ['v1.10.0', 'v1.10', 'v1', 'latest']],
];

describe('the tags of a version', () => {
  for (const [name, version, existing, channel, expected] of CASES) {
    test(name, () => {
      assert.deepEqual(tagsFor(parseVersion(version), existing.map(parseVersion), { channel }), expected);
    });
  }

  test('only exact tags are immovable', () => {
    for (const tag of ['v1.0.0', 'v1.0.0-rc.1', '1.2.3', 'v10.20.30', '10.20.30'])
      assert.equal(isMovable(tag), false, tag);
    for (const tag of ['v1.0', 'v1', 'v10.20', 'latest', 'next', 'for-v1.2.3'])
      assert.equal(isMovable(tag), true, tag);
  });

  test('a channel may have digits, also before a "v"', () => {
    for (const name of ['next', 'beta2', 'rev1', 'Q.3_x-y']) assert.equal(parseChannel(name), name);
  });

  for (const name of ['latest', 'v2', '1.0', '', '.x', 'a b', 'x'.repeat(129), 'a/b', '-x']) {
    test(`"${name.slice(0, 20)}" is no channel`, () => {
      assert.throws(
        () => parseChannel(name),
        (error) => error instanceof ReleaseError && error.code === 'USAGE',
      );
    });
  }
});

/** Small numbers, so that lines and pre-releases meet. */
const version = fc
  .record({
    major: fc.nat(3),
    minor: fc.nat(3),
    patch: fc.nat(4),
    pre: fc.option(fc.constantFrom('rc.1', 'rc.2', 'alpha', 'beta.11'), { nil: undefined, freq: 3 }),
  })
  .map(({ major, minor, patch, pre }) => `v${major}.${minor}.${patch}${pre === undefined ? '' : `-${pre}`}`);
const history = fc.uniqueArray(version, { minLength: 1, maxLength: 14 });

/** What a registry holds after these versions were released in this order. */
function releaseAll(order: readonly string[]): Map<string, Version> {
  const registry = new Map<string, Version>();
  const released: Version[] = [];
  for (const next of order.map(parseVersion)) {
    for (const tag of tagsFor(next, released, { channel: 'next' })) registry.set(tag, next);
    released.push(next);
  }
  return registry;
}

function highest(versions: readonly Version[]): Version | undefined {
  return [...versions].sort(compareVersions).at(-1);
}

describe('over 10,000 random orders of release', () => {
  const RUNS = { numRuns: 10_000 };

  test('each range tag is at the highest stable version of its range, and no v0 exists', () => {
    fc.assert(
      fc.property(history, (order) => {
        const registry = releaseAll(order);
        const stable = order.map(parseVersion).filter((one) => one.prerelease.length === 0);
        const ranges = new Map<string, Version[]>([['latest', stable]]);
        for (const one of stable) {
          for (const range of [`v${one.major}.${one.minor}`, ...(one.major > 0 ? [`v${one.major}`] : [])]) {
            ranges.set(range, [...(ranges.get(range) ?? []), one]);
          }
        }
        for (const [tag, members] of ranges) {
          assert.equal(registry.get(tag)?.tag, highest(members)?.tag, tag);
        }
        const exact = new Set(order);
        for (const tag of registry.keys()) {
          assert.ok(exact.has(tag) || ranges.has(tag) || tag === 'next', `${tag} should not exist`);
        }
      }),
      RUNS,
    );
  });

  test('the order does not matter', () => {
    const shuffled = history.chain((order) =>
      fc.tuple(fc.constant(order), fc.shuffledSubarray(order, { minLength: order.length })),
    );
    const stableTags = (order: readonly string[]) =>
      [...releaseAll(order)].filter(([tag]) => tag !== 'next').map(([tag, to]) => `${tag} ${to.tag}`);
    fc.assert(
      fc.property(shuffled, ([a, b]) => {
        assert.deepEqual(stableTags(a).sort(), stableTags(b).sort());
      }),
      RUNS,
    );
  });

  test('no pre-release is ever under a stable tag, and the exact tag comes first, latest last', () => {
    fc.assert(
      fc.property(history, version, (order, next) => {
        const parsed = parseVersion(next);
        const tags = tagsFor(parsed, order.map(parseVersion), { channel: 'next' });
        assert.equal(tags[0], parsed.tag);
        assert.ok(!tags.slice(0, -1).includes('latest'));
        if (parsed.prerelease.length > 0) assert.ok(tags.slice(1).every((tag) => tag === 'next'));
        else assert.ok(!tags.includes('next'));
      }),
      RUNS,
    );
  });

  test('every tag is one by the OCI grammar, and none is given twice', () => {
    fc.assert(
      fc.property(history, version, (order, next) => {
        const tags = tagsFor(parseVersion(next), order.map(parseVersion), { channel: 'next' });
        assert.equal(new Set(tags).size, tags.length);
        for (const tag of tags) assert.match(tag, OCI_TAG);
      }),
      RUNS,
    );
  });
});
