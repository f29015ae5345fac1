import assert from 'node:assert/strict';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { parse } from 'yaml';
import { imageIn, makeChart } from '../../../src/release/chart/chart.ts';
import { unpackChart } from '../../../src/release/chart/chart-archive.ts';
import { readChart, writeChart } from '../../../src/release/chart/chart-layout.ts';
import { blobPath } from '../../../src/release/image/layout.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';
import { createRepository, setEnvironment } from '../history/git-fixture.ts';
import { failure } from '../machine/failure.ts';

const INDEX = `sha256:${'a'.repeat(64)}`;
const FACTS = {
  version: parseVersion('v1.2.0-rc.1'),
  image: 'docker.io/example/app',
  index: INDEX,
  repository: 'example/app-chart',
  revision: 'c0ffee'.repeat(6).padEnd(40, '0'),
  time: 1_700_000_000,
};
const ABOUT = 'apiVersion: v2\nname: app # ours\nversion: 0.0.0\nhome: https://example.test\n';
const VALUES = "# The image.\nimage:\n  repository: docker.io/example/app\n  tag: ''\n  digest: ''\n";

/** A project with a chart in `deploy/app`. */
function project(t: TestContext, files: Readonly<Record<string, string>> = {}) {
  const made = createRepository(t);
  mkdirSync(join(made.dir, 'deploy/app/templates'), { recursive: true });
  const all = { 'Chart.yaml': ABOUT, 'values.yaml': VALUES, 'templates/service.yaml': 'kind: Service\n' };
  for (const [path, text] of Object.entries({ ...all, ...files })) made.write(`deploy/app/${path}`, text);
  made.commit('feat: a chart');
  return made;
}

test('the chart of a release has its version, and runs its image by the digest', async (t) => {
  const chart = await makeChart(project(t).dir, 'deploy/app', FACTS);
  const files = await unpackChart(chart.archive);
  assert.deepEqual([...files.keys()], ['Chart.yaml', 'values.yaml', 'templates/service.yaml']);
  const about = files.get('Chart.yaml')?.toString() ?? '';
  assert.match(about, /^name: app-chart # ours$/m);
  const { name, version, appVersion } = parse(about);
  assert.deepEqual([name, version, appVersion], ['app-chart', '1.2.0-rc.1', 'v1.2.0-rc.1']);
  assert.deepEqual(chart.metadata, parse(about));
  assert.match(files.get('values.yaml')?.toString() ?? '', /^# The image\.$/m);
  assert.deepEqual(await imageIn(chart), { tag: 'v1.2.0-rc.1', digest: INDEX });
  const manifest = JSON.parse(chart.blobs.get(chart.digest)?.toString() ?? '');
  assert.deepEqual(manifest.annotations, {
    'org.opencontainers.image.url': 'https://example.test',
    'org.opencontainers.image.title': 'app-chart',
    'org.opencontainers.image.version': '1.2.0-rc.1',
    'org.opencontainers.image.created': '2023-11-14T22:13:20Z',
    'org.opencontainers.image.revision': FACTS.revision,
  });
});

test('the same commit gives the same bytes, whatever the files beside it, their times and the time zone', async (t) => {
  const { dir } = project(t);
  const first = await makeChart(dir, 'deploy/app', FACTS);
  utimesSync(join(dir, 'deploy/app/values.yaml'), 1, 1);
  writeFileSync(join(dir, 'deploy/app/.DS_Store'), 'not in git');
  setEnvironment(t, { TZ: 'Asia/Tokyo' });
  const second = await makeChart(dir, 'deploy/app', FACTS);
  assert.equal(second.digest, first.digest);
  // Of every machine: where this changes, a release that was cut off elsewhere can not be gone on with here.
  assert.equal(first.digest, 'sha256:b3e086abdff8a31c531a3654b780bc17fc8d782ae4e0b665002db4d8fb5572a5');
});

const WRONG: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
  ['values without a digest', { 'values.yaml': 'image:\n  repository: a\n  tag: b\n' }, /no image\.digest/],
  ['values that are no mapping', { 'values.yaml': '- a\n' }, /values\.yaml is no YAML mapping/],
  ['Chart.yaml that is no YAML', { 'Chart.yaml': 'a: [\n' }, /Chart\.yaml is no YAML mapping/],
  [
    'a chart that it depends on and that is not there',
    { 'Chart.yaml': `${ABOUT}dependencies:\n  - name: other\n` },
    /depends on other charts/,
  ],
];
for (const [name, files, message] of WRONG) {
  test(`${name} is refused`, async (t) => {
    const error = await failure(makeChart(project(t, files).dir, 'deploy/app', FACTS));
    assert.equal(error.code, 'CHART_INVALID');
    assert.match(error.message, message);
  });
}

test('a folder that git does not have is refused', async (t) => {
  const error = await failure(makeChart(project(t).dir, 'deploy/none', FACTS));
  assert.equal(error.code, 'CHART_INVALID');
  assert.match(error.message, /git has no Chart\.yaml in it/);
});

describe('the layout of a chart', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'thoth-chart-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  test('is read as it was written, and takes the place of an earlier one', async (t) => {
    const { dir: folder } = project(t);
    await writeChart(await makeChart(folder, 'deploy/app', { ...FACTS, time: 1 }), dir);
    const chart = await makeChart(folder, 'deploy/app', FACTS);
    await writeChart(chart, dir);
    assert.deepEqual(await readChart(dir), chart);
    assert.equal((await readdir(join(dir, 'blobs/sha256'))).length, 3);
  });

  test('is refused where a byte of it changed, or it holds something else', async (t) => {
    const chart = await makeChart(project(t).dir, 'deploy/app', FACTS);
    for (const digest of chart.blobs.keys()) {
      await writeChart(chart, dir);
      await writeFile(blobPath(dir, digest), 'other');
      assert.match((await failure(readChart(dir))).details.join(), /hash to/);
    }
    await rm(dir, { recursive: true });
    assert.equal((await failure(readChart(dir))).code, 'CHART_INVALID');
  });
});
