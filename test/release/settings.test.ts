import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readSettings, repositoryOf, VARIABLES } from '../../src/release/settings.ts';
import { BUILD, POLICY, START } from './config/defaults.ts';
import { failure } from './machine/failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoth-settings-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const ca = join(folder, 'ca.pem');
const nodeCa = join(folder, 'node-ca.pem');
for (const path of [ca, nodeCa]) writeFileSync(path, '');

type Input = Readonly<Record<string, string>>;
const read = (flags: Input, env: Input = {}) => readSettings(flags, env, folder);

test('with nothing said, the defaults hold', () => {
  assert.deepEqual(read({}), {
    registry: 'docker.io',
    registryNamed: false,
    title: 'Release',
    platforms: ['linux/amd64', 'linux/arm64'],
    severity: ['HIGH', 'CRITICAL'],
    licenses: ['forbidden', 'restricted'],
    scanner: 'trivy',
    build: BUILD,
    start: START,
    policy: POLICY,
    dockerHub: { page: 'docs/DOCKERHUB.md' },
    publisher: 'docker-publish.yml',
    baseImages: {},
    builder: 'auto',
    runner: 'auto',
    plainHttp: [],
    sign: 'auto',
    token: false,
    hubUrl: 'https://hub.docker.com',
    githubApi: 'https://api.github.com',
    project: folder,
    home: join(folder, '.thoth'),
  });
});

/** Flags, environment, and what of the settings follows. */
const said: readonly (readonly [string, Input, Input, Readonly<Record<string, unknown>>])[] = [
  ['a variable', {}, { THOTH_REGISTRY: 'ghcr.io' }, { registry: 'ghcr.io', registryNamed: true }],
  [
    'a flag goes before a variable',
    { registry: 'quay.io' },
    { THOTH_REGISTRY: 'ghcr.io' },
    { registry: 'quay.io' },
  ],
  ['an empty flag says nothing', { registry: '' }, { THOTH_REGISTRY: 'ghcr.io' }, { registry: 'ghcr.io' }],
  [
    'an empty variable says nothing',
    {},
    { THOTH_REGISTRY: '', THOTH_BUILDER: ' ' },
    { registry: 'docker.io', registryNamed: false, builder: 'auto' },
  ],
  ['blanks around a value', {}, { THOTH_REPOSITORY: ' a/b ' }, { repository: 'a/b' }],
  ['a host with a port', { registry: 'localhost:5000' }, {}, { registry: 'localhost:5000' }],
  ['a host that is an IPv6 address', { registry: '[::1]:5000' }, {}, { registry: '[::1]:5000' }],
  ['a repository of many parts', { repository: 'a/b-c/d__e.f' }, {}, { repository: 'a/b-c/d__e.f' }],
  [
    'a list with blanks, twice the same and an end',
    {},
    { THOTH_PLATFORMS: ' linux/arm64 ,linux/amd64,,linux/arm64,' },
    { platforms: ['linux/arm64', 'linux/amd64'] },
  ],
  ['severities in any case', {}, { THOTH_SEVERITY: 'critical, Low' }, { severity: ['CRITICAL', 'LOW'] }],
  [
    'hosts without TLS',
    {},
    { THOTH_REGISTRY_PLAIN_HTTP: 'a:5000, b.example' },
    { plainHttp: ['a:5000', 'b.example'] },
  ],
  ['an authority', {}, { THOTH_EXTRA_CA: ca, NODE_EXTRA_CA_CERTS: nodeCa }, { extraCa: ca }],
  [
    'a mirror of npm',
    {},
    { THOTH_NPM_REGISTRY: 'https://npm.example' },
    { npmRegistry: 'https://npm.example' },
  ],
  ['an authority, relative to the project', { extraCa: 'ca.pem' }, {}, { extraCa: ca }],
  ['the authority that Node was given', {}, { NODE_EXTRA_CA_CERTS: nodeCa }, { extraCa: nodeCa }],
  [
    'an authority of Node that is not there is no fault, as with Node',
    {},
    { NODE_EXTRA_CA_CERTS: '/no/such' },
    { extraCa: undefined },
  ],
  ['the authority of a registry', {}, { THOTH_REGISTRY_CA: ca }, { registryCa: ca, extraCa: undefined }],
  ['a key in a file, relative to the project', {}, { THOTH_SIGN_KEY: 'ca.pem' }, { signKey: ca }],
  ['a key in a KMS', {}, { THOTH_VERIFY_KEY: 'gcpkms://a/b' }, { verifyKey: 'gcpkms://a/b' }],
  ['a key in a variable', { signKey: 'env://KEY' }, {}, { signKey: 'env://KEY' }],
  ['an OIDC token that is given', {}, { SIGSTORE_ID_TOKEN: 'x' }, { token: true }],
  ['another home', {}, { THOTH_HOME: 'cache' }, { home: join(folder, 'cache') }],
  ['another home by a flag', { home: '/srv/thoth' }, { THOTH_HOME: 'cache' }, { home: '/srv/thoth' }],
  ['an empty home is not the project itself', {}, { THOTH_HOME: '' }, { home: join(folder, '.thoth') }],
  ['an empty home by a flag', { home: '' }, {}, { home: join(folder, '.thoth') }],
];
for (const [name, flags, env, expected] of said) {
  test(name, () => {
    const settings: Readonly<Record<string, unknown>> = { ...read(flags, env) };
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(settings[key], value, key);
  });
}

test('every setting has a variable, and reads it', () => {
  const values: Input = {
    registry: 'r.example',
    repository: 'x/y',
    platforms: 'linux/riscv64',
    severity: 'LOW',
    sizeLimit: '60',
    licenses: 'unknown',
    scanner: 'both',
    healthPath: '/ready',
    builder: 'buildah',
    runner: 'docker',
    extraCa: ca,
    npmRegistry: 'https://npm.example',
    registryCa: ca,
    sign: 'key',
    signKey: 'awskms:///alias/thoth',
    signingConfig: ca,
    trustedRoot: ca,
    verifyKey: ca,
    verifyIssuer: 'https://issuer.example',
    builderId: 'https://builder.example/1',
    hubUrl: 'https://hub.example',
    githubApi: 'http://127.0.0.1:8080/api',
    githubRepository: 'owner/some.name',
  };
  const textFor = (name: string) => values[name] ?? 'some-name';
  const env = Object.fromEntries(
    Object.entries(VARIABLES).map(([name, variable]) => [variable, textFor(name)]),
  );
  const said = read({}, env);
  const { policy, start } = said;
  const settings: Readonly<Record<string, unknown>> = {
    ...{ ...said, sizeLimit: policy.sizeLimit, healthPath: start.path },
  };
  for (const [name, variable] of Object.entries(VARIABLES)) {
    assert.match(variable, /^(?:THOTH|DOCKERHUB|GITHUB)_[A-Z_]+$/);
    assert.deepEqual([settings[name]].flat().map(String), [textFor(name)], variable);
  }
  assert.equal(new Set(Object.values(VARIABLES)).size, Object.keys(VARIABLES).length);
});

const wrong: readonly (readonly [string, string, string])[] = [
  [
    'registry',
    'https://ghcr.io',
    'THOTH_REGISTRY: "https://ghcr.io" is not a host such as ghcr.io or localhost:5000',
  ],
  [
    'registry',
    'ghcr.io/thoth',
    'THOTH_REGISTRY: "ghcr.io/thoth" is not a host such as ghcr.io or localhost:5000',
  ],
  [
    'hubUrl',
    'http://hub.example',
    'THOTH_DOCKERHUB_URL: "http://hub.example" is not an address such as https://api.github.com',
  ],
  [
    'githubApi',
    'https://me:secret@api.github.com',
    'GITHUB_API_URL: it is not an address such as https://api.github.com',
  ],
  ['githubRepository', 'thoth', 'GITHUB_REPOSITORY: "thoth" is not a repository such as owner/name'],
  ['registry', 'user@host', 'THOTH_REGISTRY: "user@host" is not a host such as ghcr.io or localhost:5000'],
  ['repository', 'Thoth', 'THOTH_REPOSITORY: "Thoth" is not a repository name such as ada/greeter'],
  ['repository', 'a//b', 'THOTH_REPOSITORY: "a//b" is not a repository name such as ada/greeter'],
  ['repository', 'a..b', 'THOTH_REPOSITORY: "a..b" is not a repository name such as ada/greeter'],
  ['repository', 'a:1', 'THOTH_REPOSITORY: "a:1" is not a repository name such as ada/greeter'],
  ['repository', 'a'.repeat(256), 'THOTH_REPOSITORY: is longer than 255 characters'],
  ['platforms', 'arm64', 'THOTH_PLATFORMS: "arm64" is not a platform such as linux/arm64'],
  [
    'platforms',
    'linux/amd64,windows/amd64',
    'THOTH_PLATFORMS: "windows/amd64" is not a platform such as linux/arm64',
  ],
  ['platforms', ' , ', 'THOTH_PLATFORMS: names no platform'],
  ['severity', 'bad', 'THOTH_SEVERITY: "BAD" is none of CRITICAL, HIGH, MEDIUM, LOW, UNKNOWN'],
  ['severity', ',', 'THOTH_SEVERITY: names no severity'],
  [
    'licenses',
    'viral',
    'THOTH_LICENSES: "viral" is none of forbidden, restricted, reciprocal, notice, permissive, unencumbered, unknown',
  ],
  ['scanner', 'grype', 'THOTH_SCANNER: "grype" is none of trivy, scout, both'],
  ['sizeLimit', 'much', 'THOTH_SIZE_LIMIT: is not a number of megabytes'],
  ['sizeLimit', '0', 'THOTH_SIZE_LIMIT: is not a number of megabytes'],
  ['healthPath', 'health', 'THOTH_HEALTH_PATH: does not begin with /'],
  ['builder', 'kaniko', 'THOTH_BUILDER: "kaniko" is none of auto, buildx, buildah'],
  [
    'plainHttp',
    'http://a',
    'THOTH_REGISTRY_PLAIN_HTTP: "http://a" is not a host such as ghcr.io or localhost:5000',
  ],
  ['extraCa', '/no/such', 'THOTH_EXTRA_CA: there is no file /no/such'],
  ['registryCa', '/no/such', 'THOTH_REGISTRY_CA: there is no file /no/such'],
  ['sign', 'cosign', 'THOTH_SIGN: "cosign" is none of auto, keyless, key, none'],
  [
    'signKey',
    '/no/such',
    'THOTH_SIGN_KEY: there is no file /no/such, and it is no address such as awskms://…',
  ],
  ['signingConfig', '/no/such', 'THOTH_SIGNING_CONFIG: there is no file /no/such'],
  ['verifyIssuer', 'github', 'THOTH_VERIFY_ISSUER: "github" is not a URL'],
  ['builderId', 'me', 'THOTH_BUILDER_ID: "me" is not a URL'],
];
for (const [name, value, fault] of wrong) {
  test(`a fault: ${name} ${value.slice(0, 30)}`, async () => {
    const error = await failure(() => read({ [name]: value }));
    assert.equal(error.code, 'SETTING_INVALID');
    assert.equal(error.exitCode, 2);
    assert.deepEqual(error.details, [fault]);
  });
}

test('all faults are told at once', async () => {
  const error = await failure(() => read({ registry: 'a b', severity: 'x,y' }, { THOTH_BUILDER: 'none' }));
  assert.deepEqual(error.details.map((line) => line.split(':')[0]).sort(), [
    'THOTH_BUILDER',
    'THOTH_REGISTRY',
    'THOTH_SEVERITY',
    'THOTH_SEVERITY',
  ]);
});

/** The project's file, the environment over it, and what of the settings follows. */
const over: readonly (readonly [string, object, Input, Readonly<Record<string, unknown>>])[] = [
  [
    'the file',
    { repository: 'ada/greeter', registry: 'ghcr.io' },
    {},
    { repository: 'ada/greeter', registry: 'ghcr.io', registryNamed: false, title: 'greeter' },
  ],
  [
    'a variable goes before the file',
    { registry: 'ghcr.io', platforms: ['linux/arm64'] },
    { THOTH_REGISTRY: 'quay.io', THOTH_PLATFORMS: 'linux/amd64' },
    { registry: 'quay.io', platforms: ['linux/amd64'] },
  ],
  [
    'the health path and the size limit',
    { start: { path: '/a', port: 1 }, policy: { sizeLimit: 1, user: '7' } },
    { THOTH_HEALTH_PATH: '/b', THOTH_SIZE_LIMIT: '2' },
    { start: { ...START, path: '/b', port: 1 }, policy: { ...POLICY, sizeLimit: 2, user: '7' } },
  ],
  [
    'what a scan stops at',
    { scan: { severity: ['LOW'], scanner: 'both' } },
    { THOTH_SCANNER: 'trivy' },
    { severity: ['LOW'], scanner: 'trivy', licenses: ['forbidden', 'restricted'] },
  ],
  [
    'base images, by their ARG',
    {},
    { THOTH_PYTHON_IMAGE: 'a/python', THOTH_BUILDER: 'auto', THOTH_EMPTY_IMAGE: ' ' },
    { baseImages: { PYTHON_IMAGE: 'a/python' } },
  ],
];
for (const [name, file, env, expected] of over) {
  test(`from the project: ${name}`, () => {
    const project = mkdtempSync(join(folder, 'project-'));
    writeFileSync(join(project, 'thoth-release.json'), JSON.stringify(file));
    const settings: Readonly<Record<string, unknown>> = { ...readSettings({}, env, project) };
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(settings[key], value, key);
  });
}

test('base images by a flag go before the variable', async () => {
  const env = { THOTH_A: 'x', THOTH_B: 'y' };
  assert.deepEqual(read({ baseImages: 'A=z:1@sha256:2, C=w' }, env).baseImages, {
    A: 'z:1@sha256:2',
    B: 'y',
    C: 'w',
  });
  const error = await failure(() => read({ baseImages: 'node:24' }));
  assert.deepEqual(error.details, [
    '--base-images: "node:24" is not an ARG and an image such as NODE_IMAGE=node:24',
  ]);
});

test('a repository has no default', async () => {
  const error = await failure(() => repositoryOf(read({})));
  assert.equal(error.code, 'SETTING_INVALID');
  assert.match(error.remedy, /thoth-release\.json.*THOTH_REPOSITORY/);
});
