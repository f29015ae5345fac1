import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { runCli } from '../cli-process.ts';
import {
  apply,
  type Bench,
  makeLayout,
  openBench,
  planFor,
  repositoryAt,
} from '../publish/release-fixture.ts';
import { debianLayer, type Known, serveDatabase, trivyDatabase } from '../scan/scanner/trivy-database.ts';
import { FakeGitHub, GITHUB_REPOSITORY, GITHUB_TOKEN } from './fake-github.ts';

const CRITICAL: Known = { id: 'CVE-2026-1', package: 'openssl', fixedIn: '3.0.2', severity: 'CRITICAL' };

describe('thoth-release rescan', () => {
  const github = new FakeGitHub();
  let bench: Bench;
  let project: string;
  before(async () => {
    [bench, project] = await Promise.all([
      openBench(),
      mkdtemp(join(tmpdir(), 'thoth-rescan-')),
      github.start(),
    ]);
    await mkdir(join(project, '.thoth'));
    const registry = await repositoryAt(bench.embedded.host, 'thoth');
    for (const [version, openssl] of [
      ['1.0.0', '3.0.1'],
      ['2.0.0', '3.0.5'],
    ] as const) {
      const layout = await makeLayout(bench, version, { layers: [debianLayer({ openssl })] });
      const dir = await mkdtemp(join(bench.dir, 'journal-'));
      await apply(await planFor(registry, version, layout), registry, dir, layout);
    }
  });
  after(async () => {
    await Promise.all([bench.close(), github.stop(), rm(project, { recursive: true, force: true })]);
  });

  /** Runs it with a scanner that knows of `known`; of nothing where it is `undefined`. */
  async function rescan(known: readonly Known[] | undefined, ...args: string[]) {
    const served = known === undefined ? undefined : await serveDatabase(trivyDatabase(new Date(), known));
    await rm(join(project, '.thoth/trivy'), { recursive: true, force: true });
    try {
      return await runCli(project, ['rescan', ...args], {
        THOTH_REGISTRY: bench.embedded.host,
        THOTH_REPOSITORY: 'thoth',
        THOTH_TRIVY_DB: served?.repository ?? '127.0.0.1:1/none',
        GITHUB_API_URL: github.address,
        GITHUB_REPOSITORY,
        GITHUB_TOKEN,
      });
    } finally {
      await served?.close();
    }
  }

  test('opens one issue about an old line, says so again, and closes it when a scan is clean', async () => {
    const path = join(project, 'rescan.json');
    const found = await rescan([CRITICAL], '--output', path);
    assert.equal(found.exitCode, 0, found.stderr);
    assert.match(found.stdout, /v1\.0\.0 \(v1\): vulnerabilities: 1/);
    assert.deepEqual(github.calls, []);

    // What was found is told by a run of its own, so that the scanner is near no token.
    const told = await rescan(undefined, '--from', path, '--issue');
    assert.match(told.stdout, /issues\/\d+ was opened/, told.stderr);
    const [issue] = github.issues;
    assert.match(issue?.body ?? '', /\| v1\.0\.0 \| CRITICAL \| `CVE-2026-1` \|/);
    assert.doesNotMatch(issue?.body ?? '', /v2\.0\.0/);
    assert.match((await rescan(undefined, '--from', path, '--issue')).stdout, /says so already/);

    const unchecked = await rescan(undefined, '--issue');
    assert.equal(unchecked.exitCode, 7, unchecked.stderr);
    assert.equal(issue?.state, 'open');
    assert.match((await rescan([], '--issue')).stdout, /was closed/);
    assert.equal(issue?.state, 'closed');
    assert.equal(github.issues.length, 1);
    assert.deepEqual(await readdir(join(project, '.thoth/scratch')), []);
  });

  test('without --issue it only prints', async () => {
    github.calls.length = 0;
    const { stdout, stderr, exitCode } = await rescan([CRITICAL], '--tags', 'v1,v1.0', '--json');
    assert.equal(exitCode, 0, stderr);
    const [image, ...others] = JSON.parse(stdout).images;
    assert.deepEqual([image.version, image.tags, others], ['v1.0.0', ['v1', 'v1.0'], []]);
    assert.deepEqual(github.calls, []);
  });

  test('a repository without such tags is no clean one', async () => {
    const { stderr, exitCode } = await rescan([], '--repository', 'none');
    assert.equal(exitCode, 6);
    assert.match(stderr, /error VERIFY_FAILED: .* has none of the tags/);
    assert.equal((await rescan(undefined, '--from', 'none.json')).exitCode, 2);
  });
});
