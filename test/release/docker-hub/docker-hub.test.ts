import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { runCli } from '../cli-process.ts';
import { FakeHub, HUB_TOKEN, HUB_USER } from './fake-hub.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

describe('thoth-release docker-hub', () => {
  const hub = new FakeHub();
  let project: string;
  let address: string;
  before(async () => {
    address = await hub.start();
    project = await mkdtemp(join(tmpdir(), 'thoth-hub-'));
    await mkdir(join(project, 'docs'));
    await writeFile(join(project, 'package.json'), '{"description":"A gateway."}');
    await writeFile(join(project, 'docs/DOCKERHUB.md'), '# Thoth\n\n<!-- tags -->\n<!-- end -->\n');
    await writeFile(join(project, 'thoth-release.json'), '{"repository":"marcopancotti/thoth"}');
    await mkdir(join(project, '.thoth/release/v1.0.0'), { recursive: true });
    const moves = ['v1.0.0', 'v1.0', 'v1', 'latest'].map((tag) => ({ tag, from: null, to: DIGEST }));
    const plan = {
      schema: 1,
      action: 'publish',
      signing: { mode: 'none' },
      version: 'v1.0.0',
      registry: 'docker.io',
      index: DIGEST,
      moves,
    };
    await writeFile(
      join(project, '.thoth/release/v1.0.0/plan.json'),
      JSON.stringify({ ...plan, repository: 'marcopancotti/thoth', rehearsal: false }),
    );
  });
  after(async () => {
    await hub.stop();
    await rm(project, { recursive: true, force: true });
  });
  beforeEach(() => {
    hub.calls.length = 0;
  });

  const call = (args: readonly string[], env: Record<string, string> = {}) =>
    runCli(project, ['docker-hub', ...args], {
      THOTH_DOCKERHUB_URL: address,
      DOCKERHUB_USERNAME: HUB_USER,
      DOCKERHUB_TOKEN: HUB_TOKEN,
      ...env,
    });

  test('shows the page first, then writes it with the tags of the plan, then writes nothing', async () => {
    const dry = await call(['--tag', 'v1.0.0', '--dry-run'], { DOCKERHUB_TOKEN: '' });
    assert.equal(dry.exitCode, 0, dry.stderr);
    assert.match(
      dry.stdout,
      /docker pull marcopancotti\/thoth:v1\.0\.0[\s\S]*short description and full description would be/,
    );
    assert.deepEqual(hub.writes, []);
    assert.equal(hub.description, '');

    const first = await call(['--tag', 'v1.0.0', '--json']);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.deepEqual(JSON.parse(first.stdout).changed, ['short', 'full']);
    assert.equal(hub.description, 'A gateway.');
    assert.ok(hub.fullDescription.includes(`| \`v1.0.0\`, \`v1.0\`, \`v1\`, \`latest\` | \`${DIGEST}\` |`));

    hub.tags = ['v1.0.0', 'v1.0', 'v1', 'latest'].map((name) => ({ name, digest: DIGEST }));
    hub.calls.length = 0;
    const again = await call([]);
    assert.match(again.stdout, /was up to date, nothing was written/);
    assert.deepEqual(hub.writes, ['POST /v2/auth/token']);
  });

  test('leaves other registries alone', async () => {
    const { stdout, exitCode } = await call(['--registry', 'ghcr.io'], { DOCKERHUB_TOKEN: '' });
    assert.equal(exitCode, 0);
    assert.match(stdout, /ghcr\.io has no such page/);
    assert.deepEqual(hub.calls, []);
  });

  const WRONG: readonly (readonly [string, readonly string[], Record<string, string>, number, RegExp])[] = [
    ['no token', [], { DOCKERHUB_TOKEN: '' }, 2, /SETTING_INVALID: .* needs DOCKERHUB_TOKEN/],
    ['a wrong token', [], { DOCKERHUB_TOKEN: 'wrong-token' }, 5, /HUB_DENIED: .* refused the login/],
    [
      'an address without TLS',
      [],
      { THOTH_DOCKERHUB_URL: 'http://hub.test' },
      2,
      /THOTH_DOCKERHUB_URL: .* is not an address/,
    ],
    ['nobody there', [], { THOTH_DOCKERHUB_URL: 'http://127.0.0.1:9' }, 5, /HUB_UNREACHABLE/],
    ['no page', ['--page', 'none.md'], {}, 2, /HUB_PAGE: There is no page/],
    ['no plan', ['--tag', 'v9.0.0'], {}, 2, /PLAN_INVALID: There is no plan/],
    ['a long description', ['--description', 'x'.repeat(101)], {}, 2, /HUB_PAGE[\s\S]*101 characters of 100/],
  ];
  for (const [name, args, env, code, message] of WRONG) {
    test(`${name}: exit code ${code}`, async () => {
      const { exitCode, stdout, stderr } = await call(args, env);
      assert.equal(exitCode, code, stderr + stdout);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr + stdout, /^ +at |wrong-token|dckr_pat/m);
      assert.deepEqual(
        hub.writes.filter((write) => write.startsWith('PATCH')),
        [],
      );
    });
  }
});
