import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, describe, test } from 'node:test';
import { Config } from '../../../src/release/config/config.ts';
import { configSchema, parseConfig, readConfig } from '../../../src/release/config/read.ts';
import { failure } from '../machine/failure.ts';
import { referenceTable, TABLE } from './reference.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const folder = mkdtempSync(join(tmpdir(), 'thoth-config-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const faultsOf = async (value: unknown) => {
  const error = await failure(() => parseConfig(JSON.stringify(value), 'thoth-release.json'));
  assert.deepEqual([error.code, error.exitCode], ['CONFIG_INVALID', 2]);
  return error.details;
};

/** What is written, and the begin and the end of the fault. */
const WRONG: readonly (readonly [unknown, string, string])[] = [
  [[], 'the file: [] can not stand there.', 'Such as: {"repository":"ada/greeter"}'],
  [{ repository: 'Ada' }, 'repository: "Ada" can not stand there. Repository', 'Such as: "ada/greeter"'],
  [{ registry: 'https://ghcr.io' }, 'registry: "https://ghcr.io" can not', 'Such as: "ghcr.io"'],
  [{ source: 'git@github.com:a/b.git' }, 'source: ', 'Such as: "https://github.com/ada/greeter"'],
  [{ platforms: ['arm64'] }, 'platforms.0: "arm64" can not', 'Such as: ["linux/amd64"]'],
  [{ platforms: [] }, 'platforms: [] can not', 'Such as: ["linux/amd64"]'],
  [
    { build: [] },
    'build: [] can not',
    'It is an object of dockerfile, context, args, lockfile, standIns, standInLock.',
  ],
  [
    { build: { dockerfile: '../Dockerfile' } },
    'build.dockerfile: "../Dockerfile"',
    'Such as: "docker/Dockerfile"',
  ],
  [{ build: { context: '/etc' } }, 'build.context: "/etc"', 'Such as: "."'],
  [
    { build: { args: { 'A-B': 'x' } } },
    'build.args.A-B: "A-B" is no name for it.',
    'Such as: {"APP_VERSION":"{version}"}',
  ],
  [
    { build: { args: { A: '{port}' } } },
    'build.args.A: "{port}" can not',
    'Such as: {"APP_VERSION":"{version}"}',
  ],
  [
    { build: { standIns: { P: { debian: ['Py thon'] } } } },
    'build.standIns.P.debian.0: "Py thon"',
    'Such as: ["python3","dash"]',
  ],
  [
    { build: { standIns: { P: { links: { a: 'b' } } } } },
    'build.standIns.P.links.a: "a" is no name',
    '"/usr/bin/python3"}',
  ],
  [
    { build: { standIns: { P: { npm: [{ package: 'npm', into: 'x' }] } } } },
    'build.standIns.P.npm.0.into: "x"',
    'Such as: "/nodejs"',
  ],
  [{ start: { port: '8080' } }, 'start.port: "8080" can not', 'Such as: 8080'],
  [{ start: { path: 'health' } }, 'start.path: "health" can not', 'Such as: "/healthz"'],
  [{ start: { seconds: 0 } }, 'start.seconds: 0 can not', 'Such as: 60'],
  [{ policy: { user: 'root' } }, 'policy.user: "root" can not', 'Such as: "65532:65532"'],
  [
    { policy: { healthcheck: true } },
    'policy.healthcheck: true can not',
    'Such as: {"interval":30,"timeout":5}',
  ],
  [
    { policy: { forbidden: ['.env'] } },
    'policy.forbidden.0: ".env" can not',
    'Such as: ["/**/.env","/bin/sh"]',
  ],
  [{ scan: { severity: ['high'] } }, 'scan.severity.0: "high" can not', 'Such as: ["CRITICAL"]'],
  [
    { policy: { sizelimit: 5 } },
    'policy.sizelimit: there is no such key; there are sizeLimit, user,',
    'writable',
  ],
  [{ image: 'x' }, 'image: there is no such key; there are repository,', 'dockerHub'],
];

describe('the file of a project', () => {
  for (const [value, begin, end] of WRONG) {
    test(`is wrong: ${JSON.stringify(value)}`, async () => {
      const faults = await faultsOf(value);
      assert.equal(faults.length, 1, faults.join('\n'));
      assert.ok(faults[0]?.startsWith(begin) && faults[0].endsWith(end), faults[0]);
    });
  }

  test('is wrong in many places: all are told at once', async () => {
    const value = { repository: 'A', x: 1, y: 2, start: { port: 0 }, policy: { user: 'a', z: 3 } };
    const faults = await faultsOf(value);
    assert.deepEqual(faults.map((line) => line.split(':')[0]).sort(), [
      ...['policy.user', 'policy.z', 'repository', 'start.port', 'x', 'y'],
    ]);
  });

  test('may be missing, but not be something else', async () => {
    assert.deepEqual(readConfig(folder), Config.parse({}));
    for (const text of ['', '{"repository": ', 'repository = "a"']) {
      writeFileSync(join(folder, 'thoth-release.json'), text);
      const error = await failure(() => readConfig(folder));
      assert.equal(error.code, 'CONFIG_INVALID');
      assert.match(error.details[0] ?? '', /^it is not JSON: /);
    }
    rmSync(join(folder, 'thoth-release.json'));
    mkdirSync(join(folder, 'thoth-release.json'));
    assert.match((await failure(() => readConfig(folder))).details[0] ?? '', /^it can not be read: /);
  });

  test('has an example for every key that is right itself', () => {
    const { properties = {} } = configSchema();
    for (const [key, { examples }] of Object.entries(properties)) {
      if (examples !== undefined) Config.parse({ [key]: examples[0] });
    }
    for (const section of ['build', 'start', 'policy', 'scan', 'chart', 'dockerHub'] as const) {
      for (const [key, { examples }] of Object.entries(properties[section]?.properties ?? {})) {
        assert.ok(examples !== undefined, `${section}.${key}`);
        Config.parse({ [section]: { [key]: examples[0] } });
      }
    }
  });

  test('is described in docs/OWN-IMAGE.md', () => {
    const page = readFileSync(join(PROJECT, 'docs/OWN-IMAGE.md'), 'utf8');
    const written = page.replace(TABLE, (_, begin, end) => `${begin}${referenceTable()}${end}`);
    assert.equal(page, written, 'run: node --import tsx test/release/config/write-reference.ts');
  });

  test('of this project, and of each example, is right', () => {
    for (const project of ['.', 'examples/python']) assert.ok(readConfig(join(PROJECT, project)).repository);
  });
});
