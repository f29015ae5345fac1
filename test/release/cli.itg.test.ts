import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { readLayout } from '../../src/release/image/layout.ts';
import { parsePlan } from '../../src/release/publish/plan.ts';
import { CLI, PATH } from './cli-process.ts';
import { writeLayout } from './image/layout-fixture.ts';
import { type Bench, openBench } from './publish/release-fixture.ts';
import { writeSbomsOf } from './signing/signing-fixture.ts';

const [PROGRAM, ...FIRST] = CLI;
const CHART = 'apiVersion: v2\nname: app\nversion: 0.0.0\n';
const VALUES = 'image: { repository: a, tag: b, digest: c }\n';

describe('thoth-release', () => {
  let bench: Bench;
  let project: string;
  before(async () => {
    bench = await openBench();
    project = await mkdtemp(join(tmpdir(), 'thoth-project-'));
    await writeFile(join(project, '.gitignore'), '.thoth/\n');
    await writeFile(join(project, 'package.json'), '{"repository":"https://github.com/example/thoth"}\n');
    await writeFile(join(project, 'thoth-release.json'), '{"chart":{"folder":"deploy/helm/thoth"}}\n');
    await mkdir(join(project, 'deploy/helm/thoth'), { recursive: true });
    const chart = { 'Chart.yaml': CHART, 'values.yaml': VALUES };
    for (const [name, text] of Object.entries(chart))
      await writeFile(join(project, 'deploy/helm/thoth', name), text);
    await git('init', '-q', '-b', 'main');
    await commit('feat: begin');
  });
  after(async () => {
    await bench.close();
    await rm(project, { recursive: true, force: true });
  });

  const git = (...args: string[]) => execa('git', args, { cwd: project });
  const commit = async (message: string) => {
    await git('add', '-A');
    await git(
      '-c',
      'user.name=t',
      '-c',
      'user.email=t@example.test',
      'commit',
      '-qm',
      message,
      '--allow-empty',
    );
  };
  const call = (args: readonly string[], env: Record<string, string> = {}) =>
    execa(PROGRAM, [...FIRST, ...args], {
      cwd: project,
      reject: false,
      stdin: 'ignore',
      env: { PATH, CI: 'true', THOTH_REGISTRY: bench.embedded.host, THOTH_REPOSITORY: 'thoth', ...env },
    });

  /** A layout in the release's folder, started and scanned as a build would leave it. */
  async function build(version: string): Promise<string> {
    const folder = join(project, '.thoth/release', version);
    const layout = join(folder, 'layout');
    const labels = { 'org.opencontainers.image.revision': (await git('rev-parse', 'HEAD')).stdout };
    await writeLayout(layout, { version: version.slice(1), layers: [{ version }], labels });
    const server = createServer((_, response) => void response.end('ok'));
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/health`;
    for (const platform of ['linux/amd64', 'linux/arm64']) {
      const { exitCode, stderr } = await call([
        ...['start', '--layout', layout, '--platform', platform, '--url', url],
        ...['--evidence', join(folder, 'starts.json')],
      ]);
      assert.equal(exitCode, 0, stderr);
    }
    server.close();
    const scan = ['scan', '--layout', layout, '--output', join(folder, 'scan'), '--allow-unchecked'];
    const { exitCode, stderr } = await call(scan, { THOTH_TRIVY_DB: `${bench.embedded.host}/none` });
    assert.equal(exitCode, 0, stderr);
    await writeSbomsOf(await readLayout(layout), join(folder, 'sbom'));
    return layout;
  }

  test('takes two versions from layout to verified tags, and rolls back', async () => {
    await build('v1.0.0');
    const plan = await call(['plan', '--tag', 'v1.0.0', '--rehearsal']);
    assert.equal(plan.exitCode, 0, plan.stderr);
    assert.match(plan.stdout, /v1\.0\.0 +absent -> sha256:.*\n.*latest +absent/s);
    assert.match(plan.stdout, /chart \S+\/thoth-chart:1\.0\.0 +absent -> sha256:/);
    assert.match(plan.stdout, /NOT CHECKED/);
    assert.match(plan.stdout, /signed by +A REHEARSAL'S OWN KEY [0-9a-f]{64}/);
    const path = join(project, '.thoth/release/v1.0.0/plan.json');
    assert.equal(parsePlan(await readFile(path, 'utf8'), path).moves.length, 4);

    const dry = await call(['publish', '--tag', 'v1.0.0', '--plan', path, '--dry-run']);
    assert.equal(dry.exitCode, 0, dry.stderr);
    assert.match(dry.stdout, /nothing was written/);
    assert.equal((await call(['verify', '--tag', 'v1.0.0'])).exitCode, 6);

    const published = await call(['publish', '--tag', 'v1.0.0', '--plan', path, '--json']);
    assert.equal(published.exitCode, 0, published.stderr);
    const { moved, chart } = JSON.parse(published.stdout);
    assert.deepEqual([moved, chart], [['v1.0.0', 'v1.0', 'v1', 'latest'], '1.0.0']);
    const again = await call(['publish', '--tag', 'v1.0.0', '--plan', path]);
    assert.match(again.stdout, /every tag of v1\.0\.0 was in place, nothing was written/);

    const verified = await call(['verify', '--tag', 'v1.0.0', '--json']);
    assert.equal(verified.exitCode, 0, verified.stderr);
    const found = JSON.parse(verified.stdout);
    assert.ok(found.checks.every((check: { ok: boolean }) => check.ok));
    assert.ok(found.signed);
    assert.match(found.chart, /\/thoth-chart@sha256:/);
    assert.ok(found.commands.some((command: string) => command.endsWith(found.chart)));
    for (const command of found.commands) {
      assert.equal(
        (await execa('sh', ['-c', command], { env: { PATH }, reject: false })).exitCode,
        0,
        command,
      );
    }
    const readable = await call(['verify', '--tag', 'v1.0.0']);
    assert.match(readable.stdout, /ok {5}provenance: commit [0-9a-f]{40}, built by .*#local-builder\n/);
    assert.match(readable.stdout, /Anybody can do so with cosign:\n {2}cosign verify --key .*cosign\.pub/);

    await build('v1.1.0');
    assert.equal((await call(['plan', '--tag', 'v1.1.0', '--rehearsal'])).exitCode, 0);
    const next = join(project, '.thoth/release/v1.1.0/plan.json');
    assert.equal((await call(['publish', '--tag', 'v1.1.0', '--plan', next])).exitCode, 0);

    const shown = await call(['rollback', '--to', 'v1.0.0', '--dry-run', '--json']);
    assert.equal(shown.exitCode, 0, shown.stderr);
    const moves = JSON.parse(shown.stdout).moves as { tag: string; from: string; to: string }[];
    assert.deepEqual(
      moves.filter((move) => move.from !== move.to).map((move) => move.tag),
      ['v1', 'latest'],
    );
    const back = await call(['rollback', '--to', 'v1.0.0']);
    assert.equal(back.exitCode, 0, back.stderr);
    assert.match(back.stdout, /docker compose pull/);
    assert.match(back.stdout, /The Helm chart thoth-chart stays: .* `--version 1\.0\.0`/);
    const stale = await call(['publish', '--tag', 'v1.1.0', '--plan', next]);
    assert.equal(stale.exitCode, 6);
    assert.match(stale.stderr, /error PLAN_STALE/);
    assert.deepEqual(await readdir(join(project, '.thoth/locks')), []);
    assert.deepEqual(await readdir(join(project, '.thoth/scratch')), []);
  });

  test('goes to a real registry signed, or unsigned where that is said', async () => {
    const layout = await build('v2.0.0');
    const plan = ['plan', '--tag', 'v2.0.0', '--output', join(project, '.thoth/unsigned.json')];
    const refused = await call(plan);
    assert.equal(refused.exitCode, 2);
    assert.match(refused.stderr, /error SIGNER_UNKNOWN: Nobody can sign this release[\s\S]*THOTH_SIGN=none/);
    const unsigned = await call([...plan, '--rehearsal', '--sign', 'none']);
    assert.match(unsigned.stdout, /signed by +NOBODY/);
    const publish = ['publish', '--tag', 'v2.0.0', '--plan', plan.at(-1) ?? '', '--layout', layout];
    const published = await call(publish);
    assert.equal(published.exitCode, 0, published.stderr);
    assert.doesNotMatch(published.stdout, /attached/);
    const verified = await call(['verify', '--tag', 'v2.0.0'], { THOTH_SIGN: 'none' });
    assert.equal(verified.exitCode, 0, verified.stderr);
    assert.match(verified.stdout, /-- {5}signatures: NOT CHECKED/);
    const expected = await call(['verify', '--tag', 'v2.0.0', '--verify-key', await keyPair('open sesame')]);
    assert.equal(expected.exitCode, 6);
    assert.match(expected.stderr, /signature of the index: there is none/);
  });

  /** @returns the public half; the private one is beside it */
  async function keyPair(password: string): Promise<string> {
    const prefix = join(await mkdtemp(join(bench.dir, 'key-')), 'cosign');
    const env = { PATH, COSIGN_PASSWORD: password };
    await execa('cosign', ['generate-key-pair', '--output-key-prefix', prefix], { env });
    return `${prefix}.pub`;
  }

  test('is signed with a key whose password is in the environment, and never shown', async () => {
    const password = 'open sesame 4711';
    const layout = await build('v2.1.0');
    const publicKey = await keyPair(password);
    const key = publicKey.replace('.pub', '.key');
    const publish = ['publish', '--tag', 'v2.1.0', '--layout', layout, '--sign', 'key', '--json'];
    const path = join(project, '.thoth/signed.json');
    const plan = ['plan', '--tag', 'v2.1.0', '--rehearsal', '--sign', 'key', '--output', path];
    const env = { THOTH_SIGN_KEY: key, COSIGN_PASSWORD: password };
    const wrong = await call(plan, { ...env, COSIGN_PASSWORD: 'another 4711' });
    assert.equal(wrong.exitCode, 2);
    assert.match(wrong.stderr, /error SIGN_KEY[\s\S]*decryption failed[\s\S]*COSIGN_PASSWORD/);
    assert.doesNotMatch(wrong.stderr + wrong.stdout, /4711/);
    assert.equal((await call(plan, env)).exitCode, 0);
    const other = (await keyPair(password)).replace('.pub', '.key');
    const swapped = await call([...publish, '--plan', path], { ...env, THOTH_SIGN_KEY: other });
    assert.equal(JSON.parse(swapped.stderr).error.code, 'SIGN_KEY');
    const published = await call([...publish, '--plan', path], env);
    assert.equal(published.exitCode, 0, published.stderr);
    assert.equal(JSON.parse(published.stdout).signed.length, 9);
    assert.doesNotMatch(published.stderr + published.stdout, /4711/);
    for (const as of [{ THOTH_VERIFY_KEY: publicKey }, { ...env, THOTH_SIGN: 'key' }]) {
      const verified = await call(['verify', '--tag', 'v2.1.0'], as);
      assert.equal(verified.exitCode, 0, verified.stderr);
    }
  });

  test('of two publishes at once one wins, and the other is refused or finds all done', async () => {
    await build('v3.0.0');
    assert.equal((await call(['plan', '--tag', 'v3.0.0', '--rehearsal'])).exitCode, 0);
    const publish = [
      'publish',
      '--tag',
      'v3.0.0',
      '--plan',
      join(project, '.thoth/release/v3.0.0/plan.json'),
    ];
    const results = await Promise.all([call(publish), call(publish), call(publish)]);
    assert.equal(results.filter(({ stdout }) => / -> sha256:/.test(stdout)).length, 1);
    for (const { exitCode, stderr, stdout } of results) {
      assert.ok(exitCode === 0 || /error LOCKED/.test(stderr), `${exitCode} ${stderr} ${stdout}`);
    }
    assert.equal((await call(['verify', '--tag', 'v3.0.0'])).exitCode, 0);
  });

  test('prints the tags of a version as one JSON array', async () => {
    const { stdout, exitCode } = await call(['tags', 'v1.0.1', '--existing', 'v1.0.0,v2.0.0', '--json']);
    assert.equal(exitCode, 0);
    assert.equal(stdout, '["v1.0.1","v1.0","v1"]');
  });

  const WRONG: readonly [string, readonly string[], number, RegExp][] = [
    ['no command', [], 2, /Usage: thoth-release/],
    ['an unknown command', ['ship'], 2, /unknown command 'ship'/],
    ['an unknown flag', ['tags', 'v1.0.0', '--force'], 2, /unknown option '--force'/],
    ['a missing flag', ['verify'], 2, /--tag <version>/],
    ['an invalid version', ['tags', 'one'], 2, /error VERSION_INVALID: "one" is not a semantic version/],
    ['build metadata', ['tags', 'v1.0.0+a'], 2, /error VERSION_INVALID.*\+/s],
    ['a wrong --existing', ['tags', 'v1.0.0', '--existing', 'v1,v2'], 2, /--existing/],
    ['a wrong channel', ['tags', 'v1.0.0-rc.1', '--channel', 'latest'], 2, /error USAGE/],
    ['a wrong format', ['scan', '--layout', '.', '--format', 'xml'], 2, /--format/],
    ['wrong settings', ['policy', '--layout', '.', '--platforms', 'plan9/mips'], 2, /THOTH_PLATFORMS/],
    ['a folder that is no layout', ['policy', '--layout', '.'], 2, /error LAYOUT_INVALID/],
    ['an archive that is none', ['layout', 'package.json', '--output', 'x'], 2, /error LAYOUT_INVALID/],
    ['nothing built', ['plan', '--tag', 'v9.0.0', '--sign', 'none'], 2, /error LAYOUT_INVALID/],
    ['no plan', ['publish', '--tag', 'v9.0.0', '--plan', 'nothing.json'], 2, /error PLAN_INVALID/],
    ['a malformed plan', ['publish', '--tag', 'v9.0.0', '--plan', 'package.json'], 2, /error PLAN_INVALID/],
    ['no such release', ['verify', '--tag', 'v9.9.9'], 6, /error VERIFY_FAILED/],
    [
      'no registry',
      ['verify', '--tag', 'v1.0.0', '--registry', '127.0.0.1:1'],
      5,
      /error REGISTRY_UNREACHABLE/,
    ],
  ];
  for (const [name, args, code, message] of WRONG) {
    test(`${name}: exit code ${code}, one clear message, no stack trace`, async () => {
      const { exitCode, stderr, stdout } = await call(args);
      assert.equal(exitCode, code, stderr + stdout);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /^ +at /m);
      assert.deepEqual(await git('status', '--short').then((result) => result.stdout), '');
    });
  }

  test('says an error as JSON with --json, and writes no result', async () => {
    const { stdout, stderr } = await call(['tags', 'one', '--json']);
    assert.equal(stdout, '');
    assert.equal(JSON.parse(stderr).error.code, 'VERSION_INVALID');
  });

  test('refuses a dirty tree, a tag on another commit, and a project that is no repository', async () => {
    await build('v4.0.0');
    await appendFile(join(project, 'package.json'), '\n');
    const dirty = await call(['plan', '--tag', 'v4.0.0', '--rehearsal']);
    assert.equal(dirty.exitCode, 2);
    assert.match(dirty.stderr, /error GIT_DIRTY[\s\S]*package\.json/);
    await git('checkout', '-q', 'package.json');
    await git('tag', 'v4.0.0');
    await commit('fix: later');
    const moved = await call(['plan', '--tag', 'v4.0.0', '--rehearsal']);
    assert.equal(moved.exitCode, 6);
    assert.match(moved.stderr, /error VERSION_EXISTS/);
    await git('tag', '-d', 'v4.0.0');
    const outside = await call(['tags', 'v1.0.0'], { GIT_DIR: join(project, 'nothing') });
    assert.equal(outside.exitCode, 2);
    assert.match(outside.stderr, /error GIT_NO_HISTORY/);
  });

  test('refuses a layout that was not scanned, and one that a scan could not check for a real release', async () => {
    const layout = join(project, '.thoth/release/v5.0.0/layout');
    await writeLayout(layout, { version: '5.0.0' });
    const plan = ['plan', '--tag', 'v5.0.0', '--sign', 'none'];
    assert.match((await call(plan)).stderr, /error PLAN_INVALID: v5\.0\.0 was not scanned/);
    await build('v5.1.0');
    const unchecked = await call(['plan', '--tag', 'v5.1.0', '--sign', 'none']);
    assert.equal(unchecked.exitCode, 7);
    assert.match(unchecked.stderr, /error SCAN_DATA: Vulnerabilities were NOT CHECKED/);
  });

  test('serves the embedded registry while a command runs, and ends it with Ctrl-C', async () => {
    const home = await mkdtemp(join(tmpdir(), 'thoth-home-'));
    const held = createServer();
    await new Promise<void>((done) => held.listen(0, '127.0.0.1', done));
    const port = String((held.address() as AddressInfo).port);
    const taken = await call(['registry', '--port', port], { THOTH_HOME: home });
    assert.equal(taken.exitCode, 2);
    assert.match(taken.stderr, /error PORT_IN_USE/);
    held.close();

    const asked = await call(['registry', '--', 'sh', '-c', 'echo "at $THOTH_REGISTRY"; exit 3'], {
      THOTH_HOME: home,
    });
    assert.equal(asked.exitCode, 3);
    assert.match(asked.stdout, /^at 127\.0\.0\.1:\d+$/);

    const child = spawn(PROGRAM, [...FIRST, 'registry'], {
      cwd: project,
      env: { ...process.env, PATH, THOTH_HOME: home },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const host = line.toString().trim();
    assert.equal((await fetch(`http://${host}/v2/`)).status, 200);
    child.kill('SIGINT');
    await once(child, 'exit');
    await assert.rejects(fetch(`http://${host}/v2/`));
    await rm(home, { recursive: true, force: true });
  });
});
