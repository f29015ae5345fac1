import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { writeChart } from '../../../src/release/chart/chart-layout.ts';
import { sha256 } from '../../../src/release/image/digest.ts';
import type { Layout } from '../../../src/release/image/layout.ts';
import { formatPlan, type Plan } from '../../../src/release/publish/plan.ts';
import type { Registry } from '../../../src/release/registry/registry.ts';
import { makeSmallChart, withChart } from '../chart/chart-fixture.ts';
import { runCli } from '../cli-process.ts';
import {
  apply,
  type Bench,
  makeLayout,
  openBench,
  planFor,
  repositoryAt,
} from '../publish/release-fixture.ts';
import { FakeGitHub, GITHUB_REPOSITORY, GITHUB_TOKEN } from './fake-github.ts';

describe('thoth-release github-release', () => {
  const github = new FakeGitHub();
  let bench: Bench;
  let project: string;
  let registry: Registry;
  let layout: Layout;
  let plan: Plan;
  before(async () => {
    [bench, project] = await Promise.all([
      openBench(),
      mkdtemp(join(tmpdir(), 'thoth-github-')),
      github.start(),
    ]);
    registry = await repositoryAt(bench.embedded.host, 'thoth');
    layout = await makeLayout(bench, '1.0.0');
    const folder = join(project, '.thoth/release/v1.0.0');
    const { chart } = await makeSmallChart(bench.dir, 'v1.0.0', { digest: layout.index.digest });
    const charts = await repositoryAt(bench.embedded.host, 'thoth-chart');
    plan = await withChart(await planFor(registry, '1.0.0', layout), chart, charts);
    plan = { ...plan, manifests: sha256('kind: Deployment\n') };
    await writeChart(chart, join(folder, 'chart'));
    await writeFile(join(folder, 'kubernetes.yaml'), 'kind: Deployment\n');
    github.tags.set('v1.0.0', plan.made?.source.revision ?? '');
    await mkdir(join(folder, 'sbom'), { recursive: true });
    await writeFile(join(folder, 'plan.json'), formatPlan(plan));
    await writeFile(join(folder, 'notes.md'), '# Thoth v1.0.0\n');
    for (const { platform, digest } of layout.platforms) {
      for (const ending of ['cdx.json', 'spdx.json']) {
        await writeFile(
          join(folder, 'sbom', `${platform.replace('/', '-')}.${ending}`),
          JSON.stringify({ digest }),
        );
      }
    }
  });
  after(async () => {
    await Promise.all([bench.close(), github.stop(), rm(project, { recursive: true, force: true })]);
  });
  beforeEach(() => {
    github.calls.length = 0;
  });

  const call = (args: readonly string[], env: Record<string, string> = {}) =>
    runCli(project, ['github-release', ...args], {
      THOTH_REGISTRY: bench.embedded.host,
      THOTH_REPOSITORY: 'thoth',
      GITHUB_API_URL: github.address,
      GITHUB_REPOSITORY,
      GITHUB_TOKEN,
      ...env,
    });

  test('is a draft until the tags have moved, then public, and then nothing is written', async () => {
    const dry = await call(['--tag', 'v1.0.0', '--dry-run'], { GITHUB_TOKEN: '' });
    assert.equal(dry.exitCode, 0, dry.stderr);
    assert.match(dry.stdout, /made a draft[\s\S]*added plan\.json[\s\S]*dry run: nothing was written/);
    const draft = await call(['--tag', 'v1.0.0', '--draft', '--json']);
    assert.equal(draft.exitCode, 0, draft.stderr);
    assert.equal(JSON.parse(draft.stdout).draft, true);

    const early = await call(['--tag', 'v1.0.0']);
    assert.equal(early.exitCode, 6, early.stderr);
    assert.match(
      early.stderr,
      /error GITHUB_EARLY: v1\.0\.0 is not out yet: v1\.0\.0, v1\.0, v1, latest did not/,
    );
    assert.equal(github.releases[0]?.draft, true);

    await apply(plan, registry, bench.dir, layout);
    const out = await call(['--tag', 'v1.0.0']);
    assert.equal(out.exitCode, 0, out.stderr);
    assert.match(out.stdout, /published it\nhttp.*\/releases\/tag\/v1\.0\.0 \(published\)/);
    assert.equal(github.latest, 'v1.0.0');
    assert.deepEqual(github.releases[0]?.assets.map((asset) => asset.name).sort(), [
      ...['SHA256SUMS', 'kubernetes.yaml', 'linux-amd64.cdx.json', 'linux-amd64.spdx.json'],
      ...['linux-arm64.cdx.json', 'linux-arm64.spdx.json', 'plan.json', 'thoth-chart-1.0.0.tgz'],
    ]);

    github.calls.length = 0;
    const again = await call(['--tag', 'v1.0.0']);
    assert.match(again.stdout, /was as it should be, nothing was written/);
    assert.deepEqual(github.writes, []);
  });

  const WRONG: readonly (readonly [
    string,
    Partial<Plan> | string,
    Record<string, string>,
    number,
    RegExp,
  ])[] = [
    ['no token', {}, { GITHUB_TOKEN: '' }, 2, /SETTING_INVALID: .* needs GITHUB_TOKEN/],
    [
      'a wrong token',
      {},
      { GITHUB_TOKEN: 'wrong-token' },
      5,
      /GITHUB_DENIED: GitHub does not know the token/,
    ],
    ["a rehearsal's plan", { rehearsal: true }, {}, 2, /PLAN_INVALID: .* rehearsal's/],
    ['a plan without a build', { action: 'rollback', made: undefined as never }, {}, 2, /it is a rollback's/],
    ['an SBOM of another image', 'sbom', {}, 2, /PLAN_INVALID: .* SBOM of another image/],
    ['another chart than the planned one', 'chart', {}, 2, /PLAN_INVALID: .*chart is not what was planned/],
    ['other manifests', { manifests: 'e'.repeat(64) }, {}, 2, /PLAN_INVALID: .*kubernetes\.yaml is not what/],
    ['a git tag on another commit', 'tag', {}, 6, /GITHUB_TAG: .* another commit/],
  ];
  for (const [name, change, env, code, message] of WRONG) {
    test(`${name}: exit code ${code}, nothing written`, async () => {
      const path = join(project, 'plan.json');
      const made = structuredClone(plan.made) as NonNullable<Plan['made']>;
      if (change === 'sbom') for (const image of made.platforms) image.digest = `sha256:${'e'.repeat(64)}`;
      const chart = structuredClone(plan.chart) as NonNullable<Plan['chart']>;
      if (change === 'chart') chart.move.to = `sha256:${'e'.repeat(64)}`;
      if (change === 'tag') made.source.revision = 'e'.repeat(40);
      github.releases = [];
      const changed = typeof change === 'string' ? { ...plan, made, chart } : { ...plan, ...change };
      await writeFile(path, JSON.stringify(changed));
      const { exitCode, stdout, stderr } = await call(['--tag', 'v1.0.0', '--plan', path], env);
      assert.equal(exitCode, code, stderr + stdout);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr + stdout, /^ +at |wrong-token|ghs_/m);
      assert.deepEqual(github.writes, []);
    });
  }
});
