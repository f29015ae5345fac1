import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Policy } from '../../../src/release/config/config.ts';
import { readLayout } from '../../../src/release/image/layout.ts';
import { configRules } from '../../../src/release/policy/config-rules.ts';
import { POLICY } from '../config/defaults.ts';
import { writeLayout } from '../image/layout-fixture.ts';
import { AWS_KEY } from '../leaks.ts';

const dir = await mkdtemp(join(tmpdir(), 'thoth-config-'));
after(() => rm(dir, { recursive: true, force: true }));
await writeLayout(dir, { platforms: ['linux/amd64'] });
const [image] = (await readLayout(dir)).platforms;
assert.ok(image);

const layers = [1, 30, 2, 3].map((size) => ({ mediaType: '', digest: `sha256:${size}`, size: size * 1e6 }));
const history = ['COPY a /', 'COPY b /', 'COPY c /', 'COPY d /'].map((created_by) => ({ created_by }));
const large = { ...image, layers };

const sizes: readonly (readonly [string, number, number, string | undefined])[] = [
  ['500 MB are not too large', 500_000_000, POLICY.sizeLimit, undefined],
  [
    'a byte more is, and the layers that cost most are named',
    500_000_001,
    POLICY.sizeLimit,
    'it is 500.0 MB, over 500.0 MB; its largest layers are sha256:30 30.0 MB, sha256:3 3.0 MB, sha256:2 2.0 MB',
  ],
  ['a limit of its own is kept to the byte', 60_000_000, 60, undefined],
  [
    'a limit of its own is broken by a byte',
    60_000_001,
    60,
    'it is 60.0 MB, over 60.0 MB; its largest layers are sha256:30 30.0 MB, sha256:3 3.0 MB, sha256:2 2.0 MB',
  ],
];
for (const [name, size, sizeLimit, message] of sizes) {
  test(`size: ${name}`, () => {
    const found = [...configRules({ ...large, size }, { platforms: [], policy: { ...POLICY, sizeLimit } })];
    assert.deepEqual(found, message === undefined ? [] : [{ rule: 'size', message }]);
  });
}

test('size: the step that made a layer is named where it is known', () => {
  const known = { ...large, size: 2, config: { ...image.config, history } };
  const [found] = configRules(known, {
    platforms: [],
    policy: { ...POLICY, sizeLimit: 0.000001 },
  });
  assert.match(found?.message ?? '', /sha256:30 30\.0 MB \(COPY b \/\), sha256:3 3\.0 MB \(COPY d \/\)/);
});

const LICENCE = 'org.opencontainers.image.licenses';
const asked: readonly (readonly [string, Partial<Policy>, readonly string[]])[] = [
  ['the user it has', { user: '65532:65532' }, []],
  ['another user', { user: '1000' }, ['user: it runs as "65532:65532", and must as "1000"']],
  ['the label it has', { labels: { [LICENCE]: 'MIT' } }, []],
  [
    'another label',
    { labels: { [LICENCE]: 'Apache-2.0', tier: 'gold' } },
    [
      `labels: the label ${LICENCE} says "MIT", and must "Apache-2.0"`,
      'labels: the label tier says "", and must "gold"',
    ],
  ],
  [
    'another HEALTHCHECK',
    { healthcheck: { interval: 10, timeout: 1 } },
    [
      'healthcheck: its HEALTHCHECK interval is 30 s, and must be 10',
      'healthcheck: its HEALTHCHECK timeout is 3 s, and must be 1',
    ],
  ],
];
for (const [name, policy, expected] of asked) {
  test(`a project asks for ${name}`, () => {
    const found = configRules(image, { platforms: [], policy: { ...POLICY, ...policy } });
    assert.deepEqual(
      [...found].map(({ rule, message }) => `${rule}: ${message}`),
      expected,
    );
  });
}

test('a project asks for no HEALTHCHECK', () => {
  const none = {
    ...image,
    config: { ...image.config, config: { ...image.config.config, Healthcheck: undefined } },
  };
  const found = (healthcheck: Policy['healthcheck']) =>
    [...configRules(none, { platforms: [], policy: { ...POLICY, healthcheck } })].length;
  assert.deepEqual([found(POLICY.healthcheck), found(false)], [1, 0]);
});

test('a project says that a variable is no secret; its value is looked at all the same', () => {
  const found = (Env: string[]) => {
    const config = { ...image.config, config: { ...image.config.config, Env } };
    const policy = { ...POLICY, notSecret: ['GPG_KEY'] };
    return [...configRules({ ...image, config }, { platforms: [], policy })].map(({ message }) => message);
  };
  assert.deepEqual(found(['GPG_KEY=A035C8C19219BA821ECEA86B64E628F8D684696D']), []);
  assert.match(found([`GPG_KEY=${AWS_KEY}`]).join(), /GPG_KEY holds what looks like a key/);
  assert.match(found(['A_KEY=x']).join(), /A_KEY has a value/);
});
