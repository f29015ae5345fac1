import assert from 'node:assert/strict';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import {
  type Cosign,
  createCosign,
  fingerprint,
  signArguments,
  takeSecrets,
  trustArguments,
} from '../../../src/release/signing/cosign.ts';
import { assertServices, readRoot } from '../../../src/release/signing/sigstore.ts';
import { failure } from '../machine/failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoth-cosign-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('what held is not looked at again, and what did not is', async () => {
  const calls = join(folder, 'calls');
  const program = join(folder, 'fake-cosign');
  writeFileSync(program, `#!/bin/sh\necho >>'${calls}'\nexec grep -q good "$3"\n`, { mode: 0o755 });
  const cosign = createCosign(program, { home: folder });
  const about = { digest: `sha256:${'a'.repeat(64)}`, type: 't' };
  const asked = async (...questions: Parameters<Cosign['verify']>[]) => {
    writeFileSync(calls, '');
    const answers = [];
    for (const question of questions) answers.push((await cosign.verify(...question)) === undefined);
    return [readFileSync(calls, 'utf8').length, answers];
  };
  const [key, other] = [{ publicKey: 'one' }, { publicKey: 'another' }];
  assert.deepEqual(await asked(['good', about, key], ['good', about, key]), [1, [true, true]]);
  assert.deepEqual(await asked(['bad', about, key], ['bad', about, key]), [2, [false, false]]);
  assert.deepEqual(
    await asked(
      ['good', about, other],
      ['good', { ...about, type: 'u' }, key],
      ['good', { ...about, digest: `sha256:${'b'.repeat(64)}` }, key],
      ['good ', about, key],
    ),
    [4, [true, true, true, true]],
  );
});

describe('the command line that signs', () => {
  const paths = { statement: 's.json', bundle: 'b.json' };
  const common = ['attest-blob', '--statement', 's.json', '--bundle', 'b.json', '--yes'];
  test('names a key, and never its password', () => {
    const services = { signingConfig: 'none.json', trustedRoot: 'root.json' };
    assert.deepEqual(signArguments({ ...paths, ...services }, { key: 'k', password: 'open sesame' }), [
      ...[...common, '--key', 'k', '--signing-config', 'none.json', '--trusted-root', 'root.json'],
    ]);
  });
  test('leaves all to Sigstore’s public services where a token signs', () => {
    assert.deepEqual(signArguments(paths, 'token'), common);
  });
});

describe('the options that say whose signature counts', () => {
  const key = { publicKey: 'PEM' };
  const identity = { identity: 'me@x.example', issuer: 'https://issuer.example' };
  const me = [
    '--certificate-identity',
    'me@x.example',
    '--certificate-oidc-issuer',
    'https://issuer.example',
  ];
  const all = { tlogs: [1], ctlogs: [1], timestampAuthorities: [1] };
  type Root = NonNullable<Parameters<typeof trustArguments>[2]>;
  const none: Root = { tlogs: [], ctlogs: [], timestampAuthorities: [] };
  const root = ['--trusted-root', 'r'];
  const CASES: readonly (readonly [
    string,
    Parameters<typeof trustArguments>[0],
    Root | undefined,
    string[],
  ])[] = [
    ['a key needs no proof of when it signed', key, undefined, ['--key', 'k', '--insecure-ignore-tlog']],
    ['an identity needs all that the public services give', identity, undefined, me],
    ['an identity needs the log that the root names', identity, all, [...me, ...root]],
    [
      'without a log, the time stamps; without a log of certificates, none of theirs',
      identity,
      { ...none, timestampAuthorities: [1] },
      [...me, ...root, '--insecure-ignore-tlog', '--use-signed-timestamps', '--insecure-ignore-sct'],
    ],
    ['a key needs the log that the root names', key, all, ['--key', 'k', ...root]],
    ['a key with a root of nothing', key, none, ['--key', 'k', ...root, '--insecure-ignore-tlog']],
  ];
  for (const [what, by, named, expected] of CASES) {
    test(what, () => {
      const paths = { key: 'k', ...(named === undefined ? {} : { trustedRoot: 'r' }) };
      assert.deepEqual(trustArguments(by, paths, named), expected);
    });
  }

  test('are read from files that are what they should be, or refused', async () => {
    const path = join(folder, 'services.json');
    writeFileSync(path, '{"tlogs":[{}]}');
    assert.deepEqual(await readRoot(path), { tlogs: [{}], ctlogs: [], timestampAuthorities: [] });
    for (const text of ['', '[]', '{"tlogs":1}']) {
      writeFileSync(path, text);
      for (const [name, variable] of [
        ['trustedRoot', 'THOTH_TRUSTED_ROOT'],
        ['signingConfig', 'THOTH_SIGNING_CONFIG'],
      ] as const) {
        const error = await failure(assertServices({ [name]: path }));
        assert.equal(error.code, 'SETTING_INVALID');
        assert.match(error.message, new RegExp(variable));
      }
    }
    await assertServices({});
  });
});

test('a public key is called by the SHA-256 of what it is, whatever its text looks like', async () => {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const der = publicKey.export({ type: 'spki', format: 'der' });
  const expected = createHash('sha256').update(der).digest('hex');
  const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString();
  assert.equal(fingerprint(pem), expected);
  assert.equal(fingerprint(`\n${pem.replaceAll('\n', '\r\n')}`), expected);
  assert.equal((await failure(() => fingerprint('no key'))).code, 'SIGN_KEY');
});

test('what only cosign may see is taken out of the environment', () => {
  const env: NodeJS.ProcessEnv = {
    COSIGN_PASSWORD: 'a',
    SIGSTORE_ID_TOKEN: 'b',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'c',
    ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x',
    MY_KEY: 'd',
    PATH: '/bin',
  };
  const secrets = takeSecrets(env, ['env://MY_KEY', undefined, 'file.key', 'env://NONE']);
  assert.deepEqual(secrets, {
    COSIGN_PASSWORD: 'a',
    SIGSTORE_ID_TOKEN: 'b',
    ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'c',
    MY_KEY: 'd',
  });
  assert.deepEqual(env, { ACTIONS_ID_TOKEN_REQUEST_URL: 'https://x', PATH: '/bin' });
});
