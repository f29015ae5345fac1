import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { execa } from 'execa';
import { parse, parseAllDocuments } from 'yaml';
import { makeChart } from '../../../src/release/chart/chart.ts';
import { writeChart } from '../../../src/release/chart/chart-layout.ts';
import { releaseManifests } from '../../../src/release/chart/plain-manifests.ts';
import { REVISION_ANNOTATION } from '../../../src/release/image/oci.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';
import { plainManifests } from '../../deploy/helm/chart.ts';
import { type Bench, openBench, repositoryAt } from '../publish/release-fixture.ts';
import { HOME } from '../registry/registry-workshop.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const INDEX = `sha256:${'1'.repeat(64)}`;
const FACTS = {
  image: 'docker.io/marcopancotti/thoth',
  index: INDEX,
  repository: 'marcopancotti/thoth-chart',
  revision: '0123456789abcdef0123456789abcdef01234567',
  time: 1_700_000_000,
};

let bench: Bench;
let at: string;
before(async () => {
  bench = await openBench();
  const registry = await repositoryAt(bench.embedded.host, FACTS.repository);
  at = `oci://${registry.name}`;
  for (const tag of ['v1.0.0', 'v1.1.0', 'v2.0.0-rc.1']) {
    const version = parseVersion(tag);
    const chart = await makeChart(PROJECT, 'deploy/helm/thoth', { ...FACTS, version });
    const layout = join(await mkdtemp(join(bench.dir, 'chart-')), 'layout');
    await writeChart(chart, layout);
    await registry.push(layout, chart.digest);
    await registry.tag(version.version, chart.digest);
  }
});
after(() => bench.close());

/** Helm with nothing of this machine's own. */
const helm = (...args: string[]) =>
  execa(join(HOME, 'tools/bin/helm'), [...args, '--plain-http'], {
    cwd: bench.dir,
    extendEnv: false,
    env: { HOME: bench.dir },
  });
const values = ['--set', 'secrets.existingSecret=provider-keys'];

test('helm pulls the project’s chart, and it passes helm lint', async () => {
  const { stdout, stderr } = await helm('pull', at, '--version', '1.0.0', '--untar');
  assert.match(`${stdout}${stderr}`, /Digest: sha256:[0-9a-f]{64}/);
  const lint = [join(HOME, 'tools/bin/helm'), ['lint', '--strict', 'thoth-chart', ...values]] as const;
  await execa(...lint, { cwd: bench.dir });
});

test('helm shows the release’s version, and values with its image', async () => {
  const about = parse((await helm('show', 'chart', at, '--version', '1.0.0')).stdout);
  assert.deepEqual([about.name, about.version, about.appVersion], ['thoth-chart', '1.0.0', 'v1.0.0']);
  const { image } = parse((await helm('show', 'values', at, '--version', '1.0.0')).stdout);
  assert.deepEqual(
    [image.repository, image.tag, image.digest],
    ['docker.io/marcopancotti/thoth', 'v1.0.0', INDEX],
  );
});

test('helm takes the highest stable version where none is named', async () => {
  assert.equal(parse((await helm('show', 'chart', at)).stdout).version, '1.1.0');
  assert.equal(parse((await helm('show', 'chart', at, '--devel')).stdout).version, '2.0.0-rc.1');
});

test('what helm installs runs the image by its digest, under the names of the chart in the project', async () => {
  const released = (await helm('template', 'thoth', at, '--version', '1.0.0', ...values)).stdout;
  const ours = await execa(join(HOME, 'tools/bin/helm'), [
    ...['template', 'thoth', join(PROJECT, 'deploy/helm/thoth'), ...values],
  ]);
  const expected = ours.stdout
    .replaceAll('# Source: thoth/', '# Source: thoth-chart/')
    .replaceAll('thoth-0.0.0', 'thoth-chart-1.0.0')
    .replaceAll('v0.0.0', 'v1.0.0')
    .replace('thoth:v1.0.0"', `thoth:v1.0.0@${INDEX}"`);
  assert.equal(released, expected);
  const images = parseAllDocuments(released).flatMap((document) => {
    const manifest = document.toJS();
    return manifest.kind === 'Deployment' ? manifest.spec.template.spec.containers[0].image : [];
  });
  assert.deepEqual(images, [`docker.io/marcopancotti/thoth:v1.0.0@${INDEX}`]);
});

test('the plain manifests of a release are what helm makes of its chart, but for what is Helm’s own', async () => {
  const version = parseVersion('v1.0.0');
  const manifests = await releaseManifests(PROJECT, 'deploy/kubernetes/thoth.yaml', { ...FACTS, version });
  assert.equal(await plainManifests(at, '--version', '1.0.0', '--plain-http'), manifests);
  assert.match(manifests, new RegExp(`image: "docker.io/marcopancotti/thoth:v1.0.0@${INDEX}"`));
});

test('another chart can depend on it', async () => {
  const parent = await mkdtemp(join(bench.dir, 'parent-'));
  const dependency = { name: 'thoth-chart', version: '1.0.0', repository: at.replace('/thoth-chart', '') };
  const about = { apiVersion: 'v2', name: 'parent', version: '1.0.0', dependencies: [dependency] };
  await writeFile(join(parent, 'Chart.yaml'), JSON.stringify(about));
  await helm('dependency', 'update', parent);
  const listed = await execa(join(HOME, 'tools/bin/helm'), ['dependency', 'list', parent]);
  assert.match(listed.stdout, /thoth-chart\s+1\.0\.0\s+oci:\S+\s+ok/);
});

test('the registry serves it with Helm’s media types, and the commit', async () => {
  const response = await fetch(`http://${at.slice('oci://'.length).replace('/', '/v2/')}/manifests/1.0.0`, {
    headers: { accept: 'application/vnd.oci.image.manifest.v1+json' },
  });
  const manifest = (await response.json()) as {
    config: { mediaType: string };
    layers: { mediaType: string }[];
    annotations: Record<string, string>;
  };
  assert.equal(manifest.config.mediaType, 'application/vnd.cncf.helm.config.v1+json');
  assert.deepEqual(
    manifest.layers.map(({ mediaType }) => mediaType),
    ['application/vnd.cncf.helm.chart.content.v1.tar+gzip'],
  );
  assert.equal(manifest.annotations[REVISION_ANNOTATION], FACTS.revision);
});
