import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { GITHUB_ISSUER } from '../../../src/release/machine/workflow.ts';
import {
  chooseSigner,
  chooseTrust,
  describeSigning,
  type Signer,
  type Trust,
} from '../../../src/release/signing/signing.ts';
import { failure } from '../machine/failure.ts';

type Settings = Parameters<typeof chooseSigner>[0];
const NOTHING: Settings = { sign: 'auto', token: false, publisher: 'docker-publish.yml' };
const workflow = { identity: 'https://github.com/a/b/w.yml@refs/tags/v1.0.0', invocation: 'https://x/1' };
const github = { token: true, workflow };
const keyless = { mode: 'keyless', identity: workflow.identity, issuer: GITHUB_ISSUER } as const;

describe('who signs', () => {
  const CHOSEN: readonly (readonly [string, Partial<Settings>, boolean, Signer])[] = [
    ['a workflow of GitHub', github, false, keyless],
    ['a key, where one is named', { signKey: 'k' }, false, { mode: 'key', key: 'k' }],
    ['a key before a token', { signKey: 'k', ...github }, false, { mode: 'key', key: 'k' }],
    [
      'a token before a key, where that is asked for',
      { sign: 'keyless', signKey: 'k', ...github },
      false,
      keyless,
    ],
    [
      'a token of somebody else',
      { token: true, verifyIdentity: 'me@x.example', verifyIssuer: 'https://issuer.example' },
      false,
      { mode: 'keyless', identity: 'me@x.example', issuer: 'https://issuer.example' },
    ],
    ["a rehearsal's own key", {}, true, { mode: 'rehearsal' }],
    [
      "a rehearsal's own key, whatever else there is",
      { signKey: 'k', ...github },
      true,
      { mode: 'rehearsal' },
    ],
    [
      'the real key in a rehearsal, where that is asked for',
      { sign: 'key', signKey: 'k' },
      true,
      { mode: 'key', key: 'k' },
    ],
    ['nobody, where that is asked for', { sign: 'none', signKey: 'k', ...github }, false, { mode: 'none' }],
  ];
  for (const [what, changes, rehearsal, expected] of CHOSEN) {
    test(`is ${what}`, () => assert.deepEqual(chooseSigner({ ...NOTHING, ...changes }, rehearsal), expected));
  }

  const REFUSED: readonly (readonly [string, Partial<Settings>, RegExp])[] = [
    ['with nothing', {}, /neither a key nor an OIDC token/],
    ['by a key that is not named', { sign: 'key', ...github }, /THOTH_SIGN_KEY/],
    ['keyless without a token', { sign: 'keyless', signKey: 'k' }, /no OIDC token/],
    ['by a token of nobody known', { token: true }, /THOTH_VERIFY_IDENTITY/],
    [
      'by a token that nobody known vouched for',
      { token: true, verifyIdentity: 'me' },
      /THOTH_VERIFY_ISSUER/,
    ],
  ];
  for (const [what, changes, why] of REFUSED) {
    test(`${what}, a release is refused, and the way to release it unsigned is said`, async () => {
      const error = await failure(() => chooseSigner({ ...NOTHING, ...changes }, false));
      assert.deepEqual([error.code, error.exitCode], ['SIGNER_UNKNOWN', 2]);
      assert.match(error.message, why);
      assert.match(error.remedy, /THOTH_SIGN=none/);
    });
  }

  test('a plan says so, and says it loudly where it is nobody', () => {
    assert.equal(describeSigning(keyless), `${workflow.identity} (${GITHUB_ISSUER})`);
    assert.match(
      describeSigning({ mode: 'rehearsal', fingerprint: 'ab' }),
      /REHEARSAL.*ab.*nobody's identity/,
    );
    assert.match(describeSigning({ mode: 'none' }), /^NOBODY/);
  });
});

describe('whose signatures count', () => {
  const about = { rehearsal: false, source: 'https://github.com/a/b', tag: 'v1.0.0' };
  const published = 'https://github.com/a/b/.github/workflows/docker-publish.yml@refs/tags/v1.0.0';
  const CHOSEN: readonly (readonly [string, Partial<Settings>, Partial<typeof about>, Trust])[] = [
    ['the workflow that publishes', {}, {}, { by: 'identity', identity: published, issuer: GITHUB_ISSUER }],
    ['the key that is named', { verifyKey: 'k' }, { rehearsal: true }, { by: 'key', key: 'k' }],
    [
      'the signer that is named',
      { verifyIdentity: 'me', verifyIssuer: 'https://i.example' },
      {},
      { by: 'identity', identity: 'me', issuer: 'https://i.example' },
    ],
    [
      'a signer named without an issuer, by GitHub',
      { verifyIdentity: 'me' },
      {},
      { by: 'identity', identity: 'me', issuer: GITHUB_ISSUER },
    ],
    ["a rehearsal's own key", {}, { rehearsal: true }, { by: 'rehearsal' }],
    ['the key that signs', { signKey: 'k' }, {}, { by: 'key', key: 'k' }],
    [
      'the key that signed a rehearsal',
      { sign: 'key', signKey: 'k' },
      { rehearsal: true },
      { by: 'key', key: 'k' },
    ],
    ['none, where that is asked for', { sign: 'none' }, {}, { by: 'none' }],
    ['the key that is named, whoever signs', { sign: 'none', verifyKey: 'k' }, {}, { by: 'key', key: 'k' }],
  ];
  for (const [what, changes, more, expected] of CHOSEN) {
    test(`are those of ${what}`, () =>
      assert.deepEqual(chooseTrust({ ...NOTHING, ...changes }, { ...about, ...more }), expected));
  }

  test('must be said where the project does not say where it is published', async () => {
    const error = await failure(() => chooseTrust(NOTHING, { ...about, source: 'https://git.example/a/b' }));
    assert.equal(error.code, 'SIGNER_UNKNOWN');
    assert.match(error.remedy, /THOTH_VERIFY_KEY.*THOTH_VERIFY_IDENTITY/);
  });
});
