import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ReleaseError } from '../../../src/release/errors.ts';
import { compareVersions, parseVersion, versionOrNone } from '../../../src/release/versions/version.ts';

const LONGEST = `1.2.3-${'a'.repeat(121)}`; // with its v, 128 characters

const valid: readonly (readonly [string, string, readonly (string | number)[]])[] = [
  ['1.2.3', 'v1.2.3', []],
  ['v1.2.3', 'v1.2.3', []],
  ['v0.0.0', 'v0.0.0', []],
  ['v10.20.30', 'v10.20.30', []],
  ['1.0.0-rc.1', 'v1.0.0-rc.1', ['rc', 1]],
  ['1.0.0-0', 'v1.0.0-0', [0]],
  ['1.0.0-0a', 'v1.0.0-0a', ['0a']],
  ['1.0.0--', 'v1.0.0--', ['-']],
  ['9007199254740991.0.0', 'v9007199254740991.0.0', []],
  [LONGEST, `v${LONGEST}`, ['a'.repeat(121)]],
];
for (const [input, tag, prerelease] of valid) {
  test(`a version: ${input}`, () => {
    const version = parseVersion(input);
    assert.equal(version.tag, tag);
    assert.equal(version.version, tag.slice(1));
    assert.equal(`${version.major}.${version.minor}.${version.patch}`, tag.slice(1).split('-')[0]);
    assert.deepEqual(version.prerelease, prerelease);
    assert.deepEqual(versionOrNone(input), version);
  });
}

const invalid: readonly (readonly [string, RegExp])[] = [
  ['', /not a semantic version/],
  ['v', /not a semantic version/],
  ['1', /not a semantic version/],
  ['v1.2', /not a semantic version/],
  ['1.2.3.4', /not a semantic version/],
  ['latest', /not a semantic version/],
  ['vv1.2.3', /not a semantic version/],
  ['V1.2.3', /not a semantic version/],
  ['=1.2.3', /not a semantic version/],
  [' 1.2.3', /not a semantic version/],
  ['v 1.2.3', /not a semantic version/],
  ['v1.2.3 ', /not a semantic version/],
  ['v1.2.3\n', /not a semantic version/],
  ['01.2.3', /not a semantic version/],
  ['1.02.3', /not a semantic version/],
  ['1.2.03', /not a semantic version/],
  ['1.0.0-01', /not a semantic version/],
  ['1.0.0-', /not a semantic version/],
  ['1.0.0-a..b', /not a semantic version/],
  ['1.0.0-rc_1', /not a semantic version/],
  ['-1.0.0', /not a semantic version/],
  ['1.0.0rc1', /not a semantic version/],
  ['１.0.0', /not a semantic version/],
  ['9007199254740992.0.0', /not a semantic version/],
  [`1.0.${'9'.repeat(300)}`, /not a semantic version/],
  ['1.0.0+a', /image tag v1\.0\.0\./],
  ['v1.0.0-rc.1+build.7', /image tag v1\.0\.0-rc\.1\./],
  ['1.0.0+', /build metadata/],
  [`${LONGEST}a`, /longer than the 128 characters/],
];
for (const [input, message] of invalid) {
  test(`no version: ${JSON.stringify(input.slice(0, 40))} (${message.source})`, () => {
    assert.throws(
      () => parseVersion(input),
      (error) => {
        assert.ok(error instanceof ReleaseError);
        assert.equal(error.code, 'VERSION_INVALID');
        assert.match(error.message, message);
        assert.ok(error.message.length < 300, 'a long input is not repeated whole');
        return true;
      },
    );
    assert.equal(versionOrNone(input), undefined);
  });
}

test('of a long input the first 128 characters are repeated', () => {
  const said = (input: string) => {
    try {
      return parseVersion(input).tag;
    } catch (error) {
      return String(error);
    }
  };
  assert.match(said('x'.repeat(128)), /"x{128}"/);
  assert.match(said('x'.repeat(129)), /"x{128}…"/);
});

test('versions are ordered by semver precedence, not by their text', () => {
  const ordered = [
    '0.9.9',
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-rc.2',
    '1.0.0-rc.11',
    '1.0.0',
  ];
  ordered.push('1.0.1', '1.2.0', '1.10.0', '2.0.0');
  const shuffled = [...ordered].sort().map(parseVersion);
  assert.notDeepEqual(
    shuffled.map(({ version }) => version),
    ordered,
  );
  assert.deepEqual(
    shuffled.sort(compareVersions).map(({ version }) => version),
    ordered,
  );
  assert.equal(compareVersions(parseVersion('v1.0.0'), parseVersion('1.0.0')), 0);
});
