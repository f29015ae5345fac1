import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  buildahEnvironment,
  nativeStages,
  platformArguments,
  stageArguments,
} from '../../../../src/release/build/builder/buildah.ts';
import { buildRemedy } from '../../../../src/release/build/builder/remedy.ts';

const REQUEST = {
  context: '/project',
  dockerfile: '/project/Dockerfile',
  platforms: ['linux/amd64'],
  args: { RUNTIME_IMAGE: 'gcr.io/distroless/nodejs' },
  secrets: { extra_ca: '/etc/ca.pem' },
  epoch: 1_700_000_000,
  staging: '127.0.0.1:5000/staging',
};

const STAGES: readonly [string, string[]][] = [
  ['FROM --platform=$BUILDPLATFORM node AS build\nFROM scratch', ['build']],
  [
    `from --platform=\${BUILDPLATFORM} \${NODE_IMAGE} as one\nFROM --platform=$BUILDPLATFORM x AS two`,
    ['one', 'two'],
  ],
  ['FROM node AS build\nFROM --platform=$TARGETPLATFORM x AS y\n# FROM --platform=$BUILDPLATFORM z AS w', []],
];
for (const [dockerfile, names] of STAGES) {
  test(`native stages: ${names.join(', ') || 'none'}`, () =>
    assert.deepEqual(nativeStages(dockerfile), names));
}

describe('the command lines of buildah', () => {
  const stage = (request = {}) => stageArguments({ ...REQUEST, ...request }, '/home', 'build', 'image');

  test('a stage is built from the cache, unless it must not be', () => {
    assert.ok(stage().includes('--layers'));
    assert.ok(!stage().includes('--no-cache'));
    assert.ok(stage({ noCache: true }).includes('--no-cache'));
  });

  test('TLS is left out only for a base image on this machine', () => {
    assert.ok(!stage().includes('--tls-verify=false'));
    assert.ok(stage({ args: { RUNTIME_IMAGE: '127.0.0.1:5000/base' } }).includes('--tls-verify=false'));
    assert.ok(
      !stage({ args: { RUNTIME_IMAGE: '127.0.0.1.example.com/base' } }).includes('--tls-verify=false'),
    );
  });

  test('a platform takes the stages from their folders', () => {
    const args = platformArguments(
      REQUEST,
      '/home',
      'linux/arm64',
      new Map([['build', '/mnt']]),
      'image',
    ).join(' ');
    assert.match(args, /--platform linux\/arm64 .*--build-context build=\/mnt /);
    assert.match(args, /--timestamp 1700000000 /);
    assert.match(args, /--secret id=extra_ca,src=\/etc\/ca.pem /);
  });
});

test('an unusable DOCKER_CONFIG is not handed to buildah', () => {
  assert.deepEqual(buildahEnvironment({}), {});
  assert.deepEqual(buildahEnvironment({ DOCKER_CONFIG: '/nowhere' }), { DOCKER_CONFIG: '' });
});

const REMEDIES: readonly [string, RegExp][] = [
  ['write /x: no space left on device', /disk is full/],
  ['npm error code SELF_SIGNED_CERT_IN_CHAIN', /THOTH_EXTRA_CA/],
  ['tls: failed to verify certificate: x509: certificate signed by unknown authority', /THOTH_EXTRA_CA/],
  ['exit status 1', /lines below/],
];
for (const [output, remedy] of REMEDIES) {
  test(`what to do about: ${output}`, () => assert.match(buildRemedy(output), remedy));
}
