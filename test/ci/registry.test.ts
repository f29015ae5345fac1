import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dockerConfig, missingCredentials, refusal } from '../../ci/src/registry.ts';

test("Docker Hub's login goes by the key that Docker uses, any other by its host", () => {
  const auth = Buffer.from('me:secret').toString('base64');
  assert.deepEqual(JSON.parse(dockerConfig('docker.io', 'me', 'secret\n')), {
    auths: { 'https://index.docker.io/v1/': { auth } },
  });
  assert.deepEqual(JSON.parse(dockerConfig('registry:5000', 'me', 'secret')), {
    auths: { 'registry:5000': { auth } },
  });
});

test('a refusal names what is missing, where it would write, and each way to give it', () => {
  const missing = missingCredentials({ registryUser: '' });
  assert.deepEqual(missing, ['registryUser', 'registryToken']);
  const text = refusal({ registry: 'docker.io', repository: 'a/b' }, missing);
  for (const part of [
    'Nothing was built',
    'docker.io/a/b',
    '--registry-token env://',
    'THOTH_registryToken=',
  ]) {
    assert.ok(text.includes(part), part);
  }
});
