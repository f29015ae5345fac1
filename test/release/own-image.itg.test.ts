import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { execa } from 'execa';
import { z } from 'zod';
import { readLayout } from '../../src/release/image/layout.ts';
import { findPlan } from '../../src/release/publish/folder.ts';
import { PATH } from './cli-process.ts';
import { HOST_NODE } from './host-node.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const VERSION = 'v1.2.0';

/** The parts of `verify --json` that are looked at. */
const Verified = z.object({
  tags: z.array(z.object({ tag: z.string(), digest: z.string() })),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
  signed: z.boolean(),
});

/**
 * The example in examples/python, as somebody else's repository, released by the bundle alone: nothing of this project
 * is beside it but the tools.
 */
describe('another image: a Python service', () => {
  let work: string;
  let project: string;
  let program: string;
  before(async () => {
    work = await mkdtemp(join(tmpdir(), 'thoth-own-image-'));
    program = join(work, 'thoth-release.mjs');
    await promisify(execFile)(process.execPath, [join(ROOT, 'src/release/bundle.mjs'), program]);
    project = join(work, 'greeter');
    await cp(join(ROOT, 'examples/python'), project, {
      recursive: true,
      filter: (path) => !/__pycache__|\.thoth/.test(path),
    });
    await mkdir(join(project, '.thoth'));
    await symlink(join(ROOT, '.thoth/tools'), join(project, '.thoth/tools'));
    for (const args of [
      ['init', '--quiet', '--initial-branch=main'],
      ['add', '.'],
      ['-c', 'user.name=t', '-c', 'user.email=t@example.test', 'commit', '--quiet', '-m', 'feat: greet'],
    ])
      await execa('git', args, { cwd: project });
  });
  after(() => rm(work, { recursive: true, force: true }));

  const call = (args: readonly string[], env: Record<string, string> = {}) =>
    execa(HOST_NODE, [program, ...args], {
      cwd: project,
      reject: false,
      stdin: 'ignore',
      extendEnv: false,
      env: { PATH, HOME: work, CI: 'true', ...networkOf(process.env), ...env },
    });
  const release = (...path: string[]) => join(project, '.thoth/release', VERSION, ...path);

  test('goes through a whole rehearsal: both platforms built, started, scanned, pushed, signed and verified', async () => {
    const { exitCode, stdout, stderr } = await call([
      'rehearse',
      VERSION,
      '--builder',
      'buildah',
      '--runner',
      'buildah',
    ]);
    assert.equal(exitCode, 0, stderr);
    for (const platform of ['linux/amd64', 'linux/arm64'])
      assert.match(stdout, new RegExp(`${platform} .* s `));
    assert.match(stdout, /ada\/greeter/);

    const layout = await readLayout(release('layout'));
    assert.deepEqual(
      layout.platforms.map(({ platform }) => platform),
      ['linux/amd64', 'linux/arm64'],
    );
    for (const { config, size } of layout.platforms) {
      assert.equal(config.config.Labels?.['org.opencontainers.image.version'], '1.2.0');
      assert.equal(config.config.User, '65532:65532');
      assert.ok(size < 120_000_000);
    }
    const made = (await findPlan(release('plan.json')))?.plan.made;
    assert.deepEqual(Object.keys(made?.base?.images ?? {}), ['PYTHON_IMAGE']);
    assert.deepEqual(
      made?.platforms.map(({ start }) => start.platform),
      ['linux/amd64', 'linux/arm64'],
    );
    for (const platform of ['linux-amd64', 'linux-arm64']) {
      const sbom = await readFile(release('sbom', `${platform}.cdx.json`), 'utf8');
      assert.match(sbom, /"name": "python3\.11-minimal"/);
    }
    assert.match(await readFile(release('notes.md'), 'utf8'), /^# Greeter v1\.2\.0\n/);
  });

  test('is verified from the registry, tags, signatures, provenance and all', async () => {
    const { exitCode, stdout, stderr } = await call(['verify', '--tag', VERSION, '--json']);
    assert.equal(exitCode, 0, stderr);
    const found = Verified.parse(JSON.parse(stdout));
    assert.deepEqual(
      found.tags.map(({ tag }) => tag),
      ['v1.2.0', 'v1.2', 'v1', 'latest'],
    );
    assert.equal(new Set(found.tags.map(({ digest }) => digest)).size, 1);
    assert.ok(found.signed);
    assert.deepEqual(
      found.checks.filter(({ ok }) => !ok),
      [],
    );
  });

  /** Runs something with another thoth-release.json. @param change makes its text of the one that is there */
  async function configured<T>(change: (text: string) => string, work: () => Promise<T>): Promise<T> {
    const path = join(project, 'thoth-release.json');
    const text = await readFile(path, 'utf8');
    try {
      await writeFile(path, change(text));
      return await work();
    } finally {
      await writeFile(path, text);
    }
  }

  /** What is asked for besides, and what the gate then says of this image. */
  const GATES: readonly (readonly [string, object, RegExp])[] = [
    ['size', { sizeLimit: 1 }, /size: it is .* over 1\.0 MB/],
    ['user', { user: '1000' }, /user: it runs as "65532:65532", and must as "1000"/],
    ['files', { forbidden: ['/app/**/health.py'] }, /forbidden: .*\/app\/greeter\/health\.py/],
  ];
  for (const [what, asked, message] of GATES) {
    test(`is stopped by the policy of its own configuration: ${what}`, async () => {
      const change = (text: string) => {
        const config = JSON.parse(text);
        return JSON.stringify({ ...config, policy: { ...config.policy, ...asked } });
      };
      const { exitCode, stderr } = await configured(change, () =>
        call(['policy', '--layout', release('layout')]),
      );
      assert.equal(exitCode, 4, stderr);
      assert.match(stderr, message);
    });
  }

  test('with a wrong configuration nothing is done: every fault is told, with exit code 2', async () => {
    const before = await readFile(release('plan.json'), 'utf8');
    const wrong = JSON.stringify({ repository: 'Ada', start: { port: 'many' }, extra: true });
    const { exitCode, stderr } = await configured(
      () => wrong,
      () => call(['rehearse', VERSION]),
    );
    assert.equal(exitCode, 2);
    assert.match(stderr, /error CONFIG_INVALID: .*thoth-release\.json is not valid/);
    for (const fault of [/repository: "Ada"/, /start\.port: "many"/, /extra: there is no such key/])
      assert.match(stderr, fault);
    assert.equal(await readFile(release('plan.json'), 'utf8'), before);
  });
});

/** How this machine reaches Debian's packages, if by a proxy. */
function networkOf(env: NodeJS.ProcessEnv): Record<string, string> {
  const names = Object.entries(env).filter(([name]) =>
    /_proxy$|^NODE_EXTRA_CA_CERTS$|^SSL_CERT|^THOTH_DEBIAN/i.test(name),
  );
  return Object.fromEntries(names.map(([name, value = '']) => [name, value]));
}
