import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Layout, type PlatformImage, readLayout } from '../../../src/release/image/layout.ts';
import { assertKept, judge } from '../../../src/release/policy/policy.ts';
import type { Violation } from '../../../src/release/policy/violation.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';
import { POLICY } from '../config/defaults.ts';
import { type LayoutOptions, writeLayout } from '../image/layout-fixture.ts';
import { AWS_KEY } from '../leaks.ts';
import { failure } from '../machine/failure.ts';

const folder = await mkdtemp(join(tmpdir(), 'thoth-policy-'));
after(() => rm(folder, { recursive: true, force: true }));

const PLATFORMS = ['linux/amd64', 'linux/arm64'];
const LABEL = 'org.opencontainers.image';

async function layoutOf(options: LayoutOptions = {}): Promise<Layout> {
  const dir = await mkdtemp(join(folder, 'layout-'));
  await writeLayout(dir, options);
  return readLayout(dir);
}

const good = await layoutOf();

test('an image that keeps every rule passes', async () => {
  assert.deepEqual(
    await judge(good, { platforms: PLATFORMS, policy: POLICY, version: parseVersion('v1.0.0') }),
    [],
  );
  assertKept([]);
});

const health = { Test: ['CMD', '/usr/local/bin/thoth', 'healthcheck'], Interval: 30e9, Timeout: 3e9 };
const allowed: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
  ['a user without a group', { User: '1000' }],
  ['the default interval, said by 0', { Healthcheck: { ...health, Interval: 0 } }],
  ['the default interval, left out', { Healthcheck: { Test: health.Test, Timeout: 3e9 } }],
  ['a secret that is a file', { Env: ['OPENAI_API_KEY_FILE=/run/secrets/key'] }],
  ['a secret without a value', { Env: ['OPENAI_API_KEY=', 'TOKEN'] }],
  [
    'names that only look like one',
    { Env: ['KEYBOARD=us', 'MONKEY=1', 'SECRETARY=x', 'BYPASS=1', 'PATH=/bin'] },
  ],
  ['values that only look like one', { Env: ['A=task-force', 'B=https://example.com:8443/a@b', 'C=sk-1'] }],
];
for (const [name, config] of allowed) {
  test(`allowed: ${name}`, async () => {
    assert.deepEqual(await judge(await layoutOf({ config }), { platforms: PLATFORMS, policy: POLICY }), []);
  });
}

/** What one `config` breaks: a rule, and the words of its message. */
const broken: readonly (readonly [string, string, RegExp, Readonly<Record<string, unknown>>])[] = [
  ['user', 'none', /runs as "root"/, { User: undefined }],
  ['user', 'empty', /runs as "root"/, { User: '' }],
  ['user', 'root by name', /runs as "root"/, { User: 'root' }],
  ['user', 'root by number', /runs as "0:0"/, { User: '0:0' }],
  ['user', 'root in disguise', /runs as "00"/, { User: '00' }],
  ['user', 'a name, which Kubernetes can not check', /runs as "node"/, { User: 'node' }],
  ['user', 'a number and more', /runs as "1000x"/, { User: '1000x' }],
  ['healthcheck', 'none', /no HEALTHCHECK/, { Healthcheck: undefined }],
  ['healthcheck', 'switched off', /no HEALTHCHECK/, { Healthcheck: { Test: ['NONE'] } }],
  ['healthcheck', 'no test', /no HEALTHCHECK/, { Healthcheck: { Interval: 30e9 } }],
  [
    'healthcheck',
    'by a shell',
    /no HEALTHCHECK in exec form/,
    { Healthcheck: { ...health, Test: ['CMD-SHELL', 'curl'] } },
  ],
  ['healthcheck', 'interval', /interval is 60 s/, { Healthcheck: { ...health, Interval: 60e9 } }],
  ['healthcheck', 'timeout', /timeout is 5 s/, { Healthcheck: { ...health, Timeout: 5e9 } }],
  [
    'healthcheck',
    'timeout left out',
    /timeout is 30 s/,
    { Healthcheck: { Test: health.Test, Interval: 30e9 } },
  ],
  ['entrypoint', 'none', /missing or a shell/, { Entrypoint: undefined }],
  ['entrypoint', 'null', /missing or a shell/, { Entrypoint: null }],
  ['entrypoint', 'empty', /missing or a shell/, { Entrypoint: [] }],
  ['entrypoint', 'a shell', /missing or a shell/, { Entrypoint: ['/bin/sh', '-c', 'thoth'] }],
  ['entrypoint', 'a shell by its name', /missing or a shell/, { Entrypoint: ['bash'] }],
  ['secrets', 'a key', /OPENAI_API_KEY has a value/, { Env: ['OPENAI_API_KEY=x'] }],
  ['secrets', 'a token whose value begins with =', /NPM_TOKEN has/, { Env: ['NPM_TOKEN==x'] }],
  ['secrets', 'a password in small letters', /db_password has/, { Env: ['A=1', 'db_password=x'] }],
  ['secrets', 'the bare word', /variable SECRET has/, { Env: ['SECRET=x'] }],
  ['secrets', 'a key under another name', /variable DEPLOY holds/, { Env: [`DEPLOY=${AWS_KEY}`] }],
  ['secrets', 'a provider key', /variable X holds/, { Env: [`X=${['sk', 'a'.repeat(32)].join('-')}`] }],
  ['secrets', 'a password in a URL', /variable DB holds/, { Env: ['DB=postgres://ada:hunter2@db/x'] }],
  ['secrets', 'a key as an argument', /CMD holds/, { Cmd: ['serve', `--key=${AWS_KEY}`] }],
];
for (const [rule, name, message, config] of broken) {
  test(`${rule}: ${name}`, async () => {
    const violations = (
      await judge(await layoutOf({ config }), { platforms: PLATFORMS, policy: POLICY })
    ).filter((found) => found.rule !== 'shell');
    assert.deepEqual(
      violations.map((found) => [found.rule, found.platform]),
      PLATFORMS.map((platform) => [rule, platform]),
    );
    for (const found of violations) assert.match(found.message, message);
  });
}

test('a secret is named, and its value is not told', async () => {
  const layout = await layoutOf({ config: { Env: ['API_KEY=hunter2'] } });
  assert.doesNotMatch(
    JSON.stringify(await judge(layout, { platforms: PLATFORMS, policy: POLICY })),
    /hunter2/,
  );
});

for (const name of 'title description url source version created revision licenses'.split(' ')) {
  for (const value of [undefined, '']) {
    test(`labels: ${name} is ${value === '' ? 'empty' : 'missing'}`, async () => {
      const layout = await layoutOf({ labels: { [`${LABEL}.${name}`]: value } });
      assert.deepEqual(
        await judge(layout, { platforms: PLATFORMS, policy: POLICY }),
        PLATFORMS.map((platform) => ({
          rule: 'labels',
          platform,
          message: `the label ${LABEL}.${name} is missing`,
        })),
      );
    });
  }
}

test('version: the label is not of this release', async () => {
  const expected = { platforms: PLATFORMS, policy: POLICY, version: parseVersion('v1.0.1') };
  const message = 'its label says "1.0.0", and the release is 1.0.1';
  assert.deepEqual(
    await judge(good, expected),
    PLATFORMS.map((platform) => ({ rule: 'version', platform, message })),
  );
});

const [amd64, arm64] = good.platforms;
assert.ok(amd64 && arm64);

/** The good layout with another arm64. */
const changed = (image: Partial<PlatformImage>): Layout => ({
  ...good,
  platforms: [amd64, { ...arm64, ...image }],
});
const configured = (config: Record<string, unknown>) =>
  changed({ config: { ...arm64.config, config: { ...arm64.config.config, ...config } } });

const whole: readonly (readonly [string, Layout, readonly Violation[]])[] = [
  [
    'a platform that is missing',
    { ...good, platforms: [amd64] },
    [{ rule: 'platforms', message: 'linux/arm64 is missing from the image index' }],
  ],
  [
    'a platform that nobody asked for',
    changed({ platform: 'linux/s390x' }),
    [
      { rule: 'platforms', message: 'linux/arm64 is missing from the image index' },
      { rule: 'platforms', message: 'linux/s390x is in the image index, unasked' },
    ],
  ],
  [
    'an annotation of a manifest',
    changed({ annotations: { ...arm64.annotations, [`${LABEL}.title`]: 'x' } }),
    [
      {
        rule: 'annotations',
        platform: 'linux/arm64',
        message: `the annotation ${LABEL}.title differs from the label`,
      },
    ],
  ],
  [
    'an annotation of the index',
    { ...good, annotations: { ...good.annotations, [`${LABEL}.url`]: '' } },
    [{ rule: 'annotations', message: `the annotation ${LABEL}.url of the index differs from the label` }],
  ],
  ...['Cmd', 'WorkingDir', 'StopSignal', 'ExposedPorts'].map((key): [string, Layout, Violation[]] => [
    `platforms differ in ${key}`,
    configured({ [key]: ['other'] }),
    [{ rule: 'same', platform: 'linux/arm64', message: `its ${key} differs from that of linux/amd64` }],
  ]),
  [
    'platforms differ in the order of keys',
    configured({
      Labels: Object.fromEntries(Object.entries(arm64.config.config.Labels ?? {}).reverse()),
    }),
    [],
  ],
];
for (const [name, layout, expected] of whole) {
  test(`the whole: ${name}`, async () => {
    assert.deepEqual(await judge(layout, { platforms: PLATFORMS, policy: POLICY }), expected);
  });
}

test('every violation is in the error, with its rule and platform', async () => {
  const layout = await layoutOf({ platforms: ['linux/amd64'], config: { User: 'root', Entrypoint: [] } });
  const violations = await judge(layout, { platforms: PLATFORMS, policy: POLICY });
  const error = await failure(() => assertKept(violations));
  assert.equal(error.code, 'IMAGE_POLICY');
  assert.equal(error.exitCode, 4);
  assert.match(error.message, /in 3 place/);
  assert.deepEqual(error.details, [
    'platforms: linux/arm64 is missing from the image index',
    'user: it runs as "root", and must as a numeric user other than root (linux/amd64)',
    'entrypoint: its ENTRYPOINT is missing or a shell, which would not pass signals on (linux/amd64)',
  ]);
});
