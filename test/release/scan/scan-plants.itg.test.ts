import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { z } from 'zod';
import { countFaults } from '../../count-faults.ts';
import { type LayoutOptions, writeLayout } from '../image/layout-fixture.ts';
import type { TarFiles } from '../image/tar.ts';
import { AWS_KEY, PRIVATE_KEY } from '../leaks.ts';
import {
  debianLayer,
  type Known,
  nodeProgram,
  serveDatabase,
  trivyDatabase,
} from './scanner/trivy-database.ts';

const ROOT = resolve(import.meta.dirname, '../../..');
const TOOLS = join(ROOT, '.thoth/tools/bin');

const KNOWN: readonly Known[] = [
  { id: 'CVE-2026-1', package: 'openssl', fixedIn: '3.0.2', severity: 'CRITICAL' },
  { id: 'CVE-2026-2', package: 'zlib', fixedIn: '', severity: 'CRITICAL' },
  { id: 'CVE-2026-3', package: 'curl', fixedIn: '9.0', severity: 'CRITICAL' },
  { id: 'CVE-2026-4', package: 'tar', fixedIn: '2.0', severity: 'HIGH' },
  { id: 'CVE-2026-5', package: 'left-pad', of: 'npm', fixedIn: '2.0.0', severity: 'HIGH' },
  { id: 'CVE-2026-6', package: 'node', of: 'bitnami', fixedIn: '24.21.0', severity: 'HIGH' },
];
const IGNORE = `
- { id: CVE-2026-3, in: curl, reason: nothing here speaks FTP, owner: ada, until: 2099-12-31 }
- { id: CVE-2026-4, in: tar, reason: nothing is unpacked here, owner: grace, until: 2026-01-31 }
`;
/** Its comment hides nothing: exceptions have an owner and an end. */
const DOCKERFILE = `FROM example.com/base:1
# trivy:ignore:DS-0010
RUN sudo true
USER 65532
HEALTHCHECK CMD ["/x"]
`;

const component = (name: string, version: string, license: string) => ({
  type: 'library',
  name,
  version,
  purl: `pkg:npm/${name}@${version}`,
  licenses: [{ license: { id: license } }],
});
const bom = (...components: unknown[]) =>
  JSON.stringify({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1, components });
const LAYERS: readonly TarFiles[] = [
  debianLayer({ openssl: '3.0.1', zlib: '1.0', curl: '8.0', tar: '1.0' }),
  { 'nodejs/bin/node': nodeProgram('24.20.9') },
  {
    'app/thoth.cdx.json': bom(
      component('left-pad', '1.0.0', 'MIT'),
      component('viral', '1.0.0', 'AGPL-3.0-only'),
    ),
  },
  { 'app/deploy.pem': PRIVATE_KEY, 'app/removed.pem': PRIVATE_KEY },
  { 'app/.wh.removed.pem': '' },
  { 'usr/bin/su': { mode: 0o4755 }, 'etc/open': { mode: 0o666 }, 'bulk.bin': randomBytes(200_000) },
];
/** Everything that is wrong at once; each is looked for by its name below. */
const PLANTS: LayoutOptions = {
  layers: LAYERS,
  config: {
    User: 'root',
    Env: [`DEPLOY=${AWS_KEY}`],
    Healthcheck: undefined,
    Cmd: ['/bin/sh', '-c', 'serve'],
  },
  byPlatform: {
    'linux/arm64': {
      layers: [...LAYERS, { 'app/extra': '' }],
      config: {
        User: 'root',
        Env: [`DEPLOY=${AWS_KEY}`, 'ONLY=here'],
        Healthcheck: undefined,
        Cmd: ['serve'],
      },
    },
  },
};
/** The same in order. */
const CLEAN: LayoutOptions = {
  layers: [
    debianLayer({ openssl: '3.0.2', zlib: '1.0', curl: '9.0', tar: '2.0' }),
    { 'nodejs/bin/node': nodeProgram('24.21.0'), 'tmp/': { type: 'directory', mode: 0o1777 } },
    { 'app/thoth.cdx.json': bom(component('left-pad', '2.0.0', 'MIT')) },
  ],
};

const Result = z.object({
  vulnerabilities: z.object({ status: z.string() }),
  platforms: z.array(
    z.object({
      platform: z.string(),
      packages: z.number(),
      findings: z.array(z.object({ id: z.string(), target: z.string() })),
    }),
  ),
  stopped: z.array(z.object({ id: z.string() })),
  violations: z.array(z.object({ rule: z.string() })),
});
const Failed = z.object({ error: z.object({ code: z.string(), details: z.array(z.string()) }) });
const Sarif = z.object({
  version: z.literal('2.1.0'),
  runs: z.array(
    z.object({
      automationDetails: z.object({ id: z.string() }),
      results: z.array(z.object({ ruleId: z.string() })),
    }),
  ),
});

let folder: string;
let program: string;
let database: Awaited<ReturnType<typeof serveDatabase>>;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thoth-plants-'));
  program = join(folder, 'thoth-release.mjs');
  await execa(process.execPath, [join(ROOT, 'src/release/bundle.mjs'), program]);
  database = await serveDatabase(trivyDatabase(new Date(), KNOWN));
});
after(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

/** A project with a layout in it. */
async function project(options: LayoutOptions, ignore = '[]', dockerfile = 'FROM scratch\nUSER 1\n') {
  const dir = await mkdtemp(join(folder, 'project-'));
  await mkdir(join(dir, 'security'));
  await writeFile(join(dir, 'security/ignore.yaml'), ignore);
  await writeFile(join(dir, 'Dockerfile'), dockerfile);
  await writeLayout(join(dir, 'layout'), options);
  return dir;
}

/** Runs `thoth-release scan --layout layout` in a project, as users do. */
async function scan(dir: string, args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { exitCode, stdout, stderr } = await execa(
    process.execPath,
    [program, 'scan', '--layout', 'layout', ...args],
    {
      cwd: dir,
      reject: false,
      extendEnv: false,
      env: {
        PATH: [TOOLS, process.env.PATH].join(delimiter),
        HOME: dir,
        THOTH_HOME: join(dir, 'home'),
        THOTH_TRIVY_DB: database.repository,
        THOTH_SIZE_LIMIT: '0.1',
        ...env,
      },
    },
  );
  return { exitCode, stdout, stderr };
}

/** The error that `--json` prints last. */
function errorOf(stderr: string) {
  return Failed.parse(JSON.parse(stderr.trim().split('\n').at(-1) ?? '')).error;
}

const NAMED: readonly (readonly [string, string | RegExp])[] = [
  [
    'a package with a known, fixed hole',
    'CRITICAL vulnerability CVE-2026-1 in openssl 3.0.1, fixed in 3.0.2',
  ],
  ['a package in the bundle', 'HIGH vulnerability CVE-2026-5 in left-pad 1.0.0, fixed in 2.0.0'],
  ['Node.js itself', 'HIGH vulnerability CVE-2026-6 in node 24.20.9, fixed in 24.21.0'],
  ['what an exception that ended let through', 'HIGH vulnerability CVE-2026-4 in tar 1.0, fixed in 2.0'],
  ['a private key in a layer', /^HIGH secret private-key in \/app\/deploy\.pem:\d+/],
  ['a private key that a later layer removes', /^HIGH secret private-key in \/app\/removed\.pem:\d+/],
  ['an AWS key in the environment, by the scanner', 'CRITICAL secret aws-access-key-id in image'],
  [
    'an AWS key in the environment, by the policy',
    'secrets: the environment variable DEPLOY holds what looks like',
  ],
  ['a forbidden licence', 'CRITICAL license AGPL-3.0-only (forbidden) in viral'],
  ['a root user, by the scanner', 'HIGH misconfiguration DS-0002 in image'],
  ['a root user, by the policy', 'user: it runs as "root"'],
  ['no health check', 'healthcheck: it has no HEALTHCHECK'],
  ['a setuid file', 'setuid: it holds setuid or setgid files: /usr/bin/su (4755)'],
  ['a world-writable file', 'world-writable: every user may write: /etc/open (666)'],
  [
    'an image over the limit, with the layer that costs most',
    /^size: it is 0\.\d MB, over 0\.1 MB; .*COPY layer-5/,
  ],
];
const ONCE: readonly (readonly [string, string | RegExp])[] = [
  ['the Dockerfile', 'CRITICAL misconfiguration DS-0010 in Dockerfile:3 (every platform)'],
  [
    'an exception that ended',
    'exception CVE-2026-4 in tar ended on 2026-01-31; its owner is grace (security/ignore.yaml)',
  ],
  [
    'shell form without a shell',
    'shell: its CMD is in shell form, and the image has no /bin/sh (linux/amd64)',
  ],
  ['platforms with other variables', 'same: its Env (ONLY) differs from that of linux/amd64 (linux/arm64)'],
  ['platforms with other arguments', 'same: its Cmd differs from that of linux/amd64 (linux/arm64)'],
  [
    'platforms with other files',
    'same: its files differ from those of linux/amd64: /app/extra is new (linux/arm64)',
  ],
];

test('each plant is caught by its name, and the exit code is 3', async (t) => {
  const dir = await project(PLANTS, IGNORE, DOCKERFILE);
  const { exitCode, stdout, stderr } = await scan(dir, ['--json']);
  assert.equal(exitCode, 3, stderr);
  const { code, details } = errorOf(stderr);
  assert.equal(code, 'SCAN_GATE');
  const has = (line: string, what: string | RegExp) =>
    typeof what === 'string' ? line.startsWith(what) : what.test(line);
  const left = new Set(details);
  let caught = 0;
  for (const [name, what] of NAMED) {
    await t.test(name, () => {
      const found = details.filter((line) => has(line, what));
      assert.deepEqual(
        found.map((line) => /\((linux\/\w+)\)$/.exec(line)?.[1]),
        ['linux/amd64', 'linux/arm64'],
        details.join('\n'),
      );
      caught += 1;
      for (const line of found) left.delete(line);
    });
  }
  for (const [name, what] of ONCE) {
    await t.test(name, () => {
      const found = details.filter((line) => has(line, what));
      assert.equal(found.length, 1, details.join('\n'));
      caught += 1;
      for (const line of found) left.delete(line);
    });
  }
  const planted = NAMED.length + ONCE.length;
  countFaults(t, 'Something planted in an image that must not be there', planted, {
    missed: planted - caught,
  });
  await t.test('and nothing else stops it', () => assert.deepEqual([...left], []));
  const result = Result.parse(JSON.parse(stdout));
  await t.test('what has no fix, and what is ignored, is reported all the same', () => {
    for (const id of ['CVE-2026-2', 'CVE-2026-3']) {
      assert.ok(!details.some((line) => line.includes(id)), id);
      for (const { platform, findings } of result.platforms)
        assert.ok(
          findings.some((found) => found.id === id),
          `${id} on ${platform}`,
        );
    }
  });
  await t.test('no secret is repeated', () => {
    for (const text of [stdout, stderr]) assert.ok(!text.includes(AWS_KEY) && !text.includes('A'.repeat(64)));
  });

  const sarif = await scan(dir, ['--format', 'sarif']);
  await t.test('--format sarif prints one log with a run for each platform and the Dockerfile', () => {
    assert.equal(sarif.exitCode, 3);
    const { runs } = Sarif.parse(JSON.parse(sarif.stdout));
    const about = runs.map((run) => run.automationDetails.id);
    assert.deepEqual(about, ['linux/amd64/', 'linux/arm64/', 'Dockerfile/']);
    const rules = runs.map((run) => run.results.map((found) => found.ruleId));
    for (const id of ['CVE-2026-1', 'CVE-2026-6', 'private-key']) assert.ok(rules[1]?.includes(id), id);
    assert.ok(rules[2]?.includes('DS-0010'));
  });
  const table = await scan(dir, ['--format', 'table']);
  await t.test('--format table prints tables, the sum of it, and what breaks the policy', () => {
    assert.match(table.stdout, /^linux\/amd64\n/);
    assert.match(table.stdout, /│ CVE-2026-1 /);
    assert.match(table.stdout, /\nvulnerabilities: 6 in 7 packages \(database of /);
    assert.match(table.stdout, /\nsetuid: it holds/);
  });
  const json = await scan(dir, ['--format', 'json']);
  await t.test('--format json prints the report', () => {
    assert.deepEqual(Result.parse(JSON.parse(json.stdout)), result);
  });
});

test('the clean image passes, and what it holds was looked at', async () => {
  const dir = await project(CLEAN);
  const { exitCode, stdout, stderr } = await scan(dir, ['--json']);
  assert.equal(exitCode, 0, stderr);
  const result = Result.parse(JSON.parse(stdout));
  assert.equal(result.vulnerabilities.status, 'checked');
  assert.deepEqual(
    result.platforms.map(({ packages, findings }) => [
      packages,
      findings.map((found) => found.id).filter((id) => id.startsWith('CVE')),
    ]),
    Array(2).fill([6, ['CVE-2026-2']]),
  );
  assert.deepEqual([result.stopped, result.violations], [[], []]);
});

test('an image that breaks the policy alone ends with 4, one without data with 7', async () => {
  const dir = await project({ ...CLEAN, platforms: ['linux/amd64'], config: { Healthcheck: undefined } });
  const broken = await scan(dir, ['--json']);
  assert.equal(broken.exitCode, 4);
  assert.equal(errorOf(broken.stderr).code, 'IMAGE_POLICY');
  const nowhere = { THOTH_TRIVY_DB: '127.0.0.1:1/trivy-db:2', THOTH_HOME: join(dir, 'other') };
  const blind = await scan(dir, ['--json'], nowhere);
  assert.equal(blind.exitCode, 7);
  assert.match(errorOf(blind.stderr).details.join('\n'), /healthcheck/);
});
