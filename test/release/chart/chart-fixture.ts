import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { packChart } from '../../../src/release/chart/chart-archive.ts';
import { type Chart, chartArtifact, writeChart } from '../../../src/release/chart/chart-layout.ts';
import { planChart } from '../../../src/release/publish/chart-release.ts';
import type { Plan } from '../../../src/release/publish/plan.ts';
import type { Registry } from '../../../src/release/registry/registry.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';

/** The least that is a chart of a release, with a layout of its own in `dir`. */
export async function makeSmallChart(
  dir: string,
  tag: string,
  image: { tag?: string; digest: string },
  name = 'thoth-chart',
): Promise<{ chart: Chart; layout: string }> {
  const { version } = parseVersion(tag);
  const metadata = { apiVersion: 'v2', name, version, appVersion: tag };
  const values = { image: { repository: 'docker.io/example/thoth', tag, ...image } };
  const files = { 'Chart.yaml': metadata, 'values.yaml': values };
  const packed = new Map(Object.entries(files).map(([path, said]) => [path, Buffer.from(stringify(said))]));
  const chart = chartArtifact(metadata, await packChart(name, packed, 1_700_000_000), {});
  const layout = join(await mkdtemp(join(dir, 'chart-')), 'layout');
  await writeChart(chart, layout);
  return { chart, layout };
}

/** A plan with a chart in it. @param registry the repository of the chart */
export async function withChart(plan: Plan, chart: Chart, registry: Registry): Promise<Plan> {
  const repository = registry.name.split('/').slice(1).join('/');
  return { ...plan, chart: await planChart(chart, repository, registry, parseVersion(plan.version)) };
}
