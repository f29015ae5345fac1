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

/** The messages on an image with another config. */
function judged(config: Record<string, unknown>): string[] {
  const changed = { ...image, config: { ...image?.config, config: { ...image?.config.config, ...config } } };
  const found = configRules(changed as typeof image & object, { platforms: [], policy: POLICY });
  return [...found].map(({ message }) => message);
}

const USERS: readonly (readonly [user: string | undefined, shown: string | undefined])[] = [
  ['65532', undefined],
  ['1000:0', undefined],
  ['0', '0'],
  ['0:1000', '0:1000'],
  ['root', 'root'],
  ['node1', 'node1'],
  [undefined, 'root'],
];
for (const [user, shown] of USERS) {
  test(`user: ${user ?? 'none'} ${shown === undefined ? 'is' : 'is not'} a numeric user other than root`, () => {
    const told =
      shown === undefined ? [] : [`it runs as "${shown}", and must as a numeric user other than root`];
    assert.deepEqual(judged({ User: user }), told);
  });
}

const ENTRYPOINTS: readonly (readonly [entrypoint: readonly string[] | undefined, refused: boolean])[] = [
  [['/app/program'], false],
  [['/usr/bin/shiny'], false],
  [['/opt/bin/shell'], false],
  [['/bin/sh', '-c', 'serve'], true],
  [['bash', '-c', 'serve'], true],
  [['/usr/bin/dash'], true],
  [[], true],
  [undefined, true],
];
for (const [entrypoint, refused] of ENTRYPOINTS) {
  test(`entrypoint: ${JSON.stringify(entrypoint)} is ${refused ? 'refused' : 'taken'}`, () => {
    const told = 'its ENTRYPOINT is missing or a shell, which would not pass signals on';
    assert.deepEqual(judged({ Entrypoint: entrypoint }), refused ? [told] : []);
  });
}

test('labels: an image that has none lacks each', () => {
  const missing = judged({ Labels: undefined }).filter((message) => message.endsWith('is missing'));
  assert.equal(missing.length, 8);
});

const long = (start: string, length: number, of = 'a') => `${start}${of.repeat(length)}`;
const SECRETS: readonly (readonly [what: string, secret: string, none: string])[] = [
  ["OpenAI's or Anthropic's", long('sk-', 16), long('sk-', 15)],
  ["OpenAI's with signs", long('sk-', 8, '-_'), long('sk-', 16, '!')],
  ["Google's", long('AIza', 35), long('AIza', 34)],
  ["Google's with signs", `${long('AIza', 17, '-_')}0`, long('AIza', 35, '!')],
  ["Amazon's", long('AKIA', 16, 'A'), long('AKIA', 16)],
  ["Amazon's, for a while", long('ASIA', 16, '0'), long('ASIA', 15, '0')],
  ["GitHub's", long('ghp_', 36), long('ghp_', 35)],
  ["GitHub's for a server", long('ghs_', 40, '0'), long('ghx_', 36)],
  ["GitHub's, fine-grained", long('github_pat_', 22), long('github_pat_', 21)],
  ["npm's", long('npm_', 36), long('npm_', 35)],
  ["Docker Hub's", long('dckr_pat_', 20), long('dckr_pat_', 19)],
  ["Docker Hub's with signs", long('dckr_pat_', 10, '-_'), long('dckr_pat_', 20, '!')],
  ['a private key', '-----BEGIN RSA PRIVATE KEY-----', '-----BEGIN PUBLIC KEY-----'],
  ['a private key without a kind', '-----BEGIN PRIVATE KEY-----', '-----BEGIN rsa PRIVATE KEY-----'],
  ['a password in a URL', 'https://me:word@host/', 'https://me@host/a:b'],
  ['a password in a URL that is cut off', 'redis://u:p@', 'https://host:80/@x'],
];
for (const [what, secret, none] of SECRETS) {
  test(`secrets: ${what} is found wherever it is, and what only looks like it is not`, () => {
    const looks = 'holds what looks like a key or a password';
    assert.deepEqual(judged({ Env: ['A=b', `PLAIN=${secret}`] }), [
      `the environment variable PLAIN ${looks}`,
    ]);
    assert.deepEqual(judged({ Entrypoint: ['/x', `--of=${secret}`] }), [`its ENTRYPOINT ${looks}`]);
    assert.deepEqual(judged({ Cmd: ['serve', secret] }), [`its CMD ${looks}`]);
    const labels = { ...image.config.config.Labels, more: secret };
    assert.deepEqual(judged({ Labels: labels }), [`the label more ${looks}`]);
    assert.deepEqual(judged({ Env: [`PLAIN=${none}`], Cmd: [none] }), []);
  });
}

const NAMES: readonly (readonly [name: string, secret: boolean])[] = [
  ['API_KEY', true],
  ['OPENAI_APIKEY', true],
  ['openai_api_key', true],
  ['KEY', true],
  ['GH_TOKEN', true],
  ['CLIENT_SECRET', true],
  ['CREDENTIAL', true],
  ['AWS_CREDENTIALS', true],
  ['DB_PASS', true],
  ['DB_PASSWORD', true],
  ['DB_PASSWD', true],
  ['KEY_PASSPHRASE', true],
  ['MONKEY', false],
  ['KEYBOARD', false],
  ['TOKEN_LIMIT', false],
  ['PASSENGER', false],
];
for (const [name, secret] of NAMES) {
  test(`secrets: a variable ${name} with a value is ${secret ? '' : 'no '}secret, and without one none`, () => {
    const told = secret ? [`the environment variable ${name} has a value in the image`] : [];
    assert.deepEqual(judged({ Env: [`${name}=x=y`] }), told);
    assert.deepEqual(judged({ Env: [`${name}=`] }), []);
  });
}

test('an image without Env, Cmd and arguments has nothing to be judged in them', () => {
  assert.deepEqual(judged({ Env: undefined, Cmd: undefined }), []);
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
