import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { imageIn } from '../chart/chart.ts';
import { type Chart, readChart } from '../chart/chart-layout.ts';
import { ReleaseError } from '../errors.ts';
import { digestOf } from '../image/digest.ts';
import type { Registry } from '../registry/registry.ts';
import type { Version } from '../versions/version.ts';
import { examineChart, type Verifier } from './attest.ts';
import { type Check, check } from './check.ts';
import { currentTags } from './current-tags.ts';
import { movesTo, type Plan, type TagMove } from './plan.ts';

/** The Helm chart of a release as it is pushed: its OCI layout, and the repository it goes to. */
export interface ChartRelease {
  readonly registry: Registry;
  readonly dir: string;
}

type PlannedChart = NonNullable<Plan['chart']>;

/**
 * Plans the chart of a release: one tag, which never moves. Helm takes the highest version where none is named, so that
 * there is nothing like `latest`.
 *
 * @throws ReleaseError TAG_IMMUTABLE where the version exists with other content
 */
export async function planChart(
  chart: Chart,
  repository: string,
  registry: Registry,
  version: Version,
): Promise<PlannedChart> {
  const tag = version.version;
  const [move] = movesTo(chart.digest, [tag], await currentTags(registry, [tag]));
  return { repository, move: move as TagMove };
}

/**
 * Reads the chart that a plan is about.
 *
 * @throws ReleaseError PLAN_INVALID where it is not there, or not the one that was planned
 */
export async function readPlannedChart({ version, chart }: Plan, dir: string): Promise<void> {
  const found = await readChart(dir).catch((cause) => {
    throw otherChart(version, 'it can not be read', cause);
  });
  if (found.digest !== chart?.move.to) throw otherChart(version, `it is ${found.digest}`);
}

/**
 * Downloads a chart and checks every byte of it.
 *
 * @throws ReleaseError VERIFY_FAILED where the registry serves anything else
 */
export async function downloadChart(registry: Registry, digest: string, scratch: string): Promise<Chart> {
  const dir = await mkdtemp(join(scratch, 'chart-'));
  try {
    await registry.download(digest, dir);
    const chart = await readChart(dir);
    if (chart.digest === digest) return chart;
    throw otherBytes(registry, digest, [`it is ${chart.digest}`]);
  } catch (error) {
    if (!(error instanceof ReleaseError && error.code === 'CHART_INVALID')) throw error;
    throw otherBytes(registry, digest, error.details, error);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/**
 * Reads the chart of a release back from the registry: that it is there, whole and signed, and runs that image.
 *
 * @returns the checks, and the chart by its digest where there is one
 * @param options.planned its digest, where this machine knows it
 * @param options.verifier says whose signature holds; without it none is looked at
 */
export async function verifyChart(
  registry: Registry,
  version: Version,
  options: {
    index: string;
    scratch: string;
    planned?: string | undefined;
    verifier?: Verifier | undefined;
  },
): Promise<{ name?: string; checks: Check[] }> {
  const { index, planned, verifier } = options;
  const digest = await registry.digestOf(version.version);
  const name = `${registry.name}:${version.version}`;
  if (digest === undefined) return { checks: [check('chart', false, `${name} is absent`)] };
  const served = digestOf(await registry.manifest(version.version));
  const chart = await downloadChart(registry, digest, options.scratch);
  const said = chart.metadata.version;
  const image = await imageIn(chart).catch(() => undefined);
  const runs =
    image === undefined ? 'it does not say which image it runs' : `it runs ${image.tag}@${image.digest}`;
  const checks = [
    check('chart', served === digest, `${name} is ${served}`),
    check('chart version', said === version.version, `it says that it is ${said}`),
    check('chart image', image?.tag === version.tag && image.digest === index, runs),
    ...(verifier === undefined ? [] : await examineChart(registry, digest, verifier)),
    ...(planned === undefined
      ? []
      : [check('chart plan', planned === digest, `the plan of this machine says ${planned}`)]),
  ];
  return { name: `${registry.name}@${digest}`, checks };
}

function otherChart(version: string, why: string, cause?: unknown): ReleaseError {
  return new ReleaseError(
    'PLAN_INVALID',
    `The Helm chart of ${version} is not the one that was planned: ${why}.`,
    'Nothing was pushed. Plan the release again; --chart-layout names the folder that its chart was packed into.',
    cause instanceof ReleaseError ? cause.details : [],
    cause,
  );
}

function otherBytes(
  registry: Registry,
  digest: string,
  details: readonly string[],
  cause?: unknown,
): ReleaseError {
  return new ReleaseError(
    'VERIFY_FAILED',
    `${registry.name} does not serve the chart ${digest} as it was pushed.`,
    'No tag leads to it by this run. Tell whoever runs the registry, and run it again.',
    details,
    cause,
  );
}
