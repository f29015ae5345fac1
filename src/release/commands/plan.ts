import { join } from 'node:path';
import { z } from 'zod';
import { wantedImages } from '../build/base.ts';
import { readBases } from '../build/dockerfile.ts';
import { makeChart } from '../chart/chart.ts';
import { type Chart, writeChart } from '../chart/chart-layout.ts';
import { releaseManifests } from '../chart/plain-manifests.ts';
import { ReleaseError } from '../errors.ts';
import { assertClean, assertTagAtHead, type Repository, readRepository } from '../history/git.ts';
import { sha256 } from '../image/digest.ts';
import { readLayout } from '../image/layout.ts';
import { readIfThere, writeWhole } from '../machine/file.ts';
import { together } from '../machine/together.ts';
import { planChart } from '../publish/chart-release.ts';
import { currentTags } from '../publish/current-tags.ts';
import { type ReleaseFolder, releaseFolder } from '../publish/folder.ts';
import { Bases, type BuildFacts, describePlan, formatPlan, Plan, planRelease } from '../publish/plan.ts';
import { builderOf } from '../publish/provenance.ts';
import { openTarget, type Target } from '../publish/target.ts';
import { sbomDigests } from '../scan/sbom.ts';
import { ScanReport } from '../scan/scan.ts';
import { chartOf, repositoryOf, type Settings } from '../settings.ts';
import { tagsFor } from '../versions/tags.ts';
import { parseVersion, type Version, versionOrNone } from '../versions/version.ts';
import type { CommandModule, Context } from './context.ts';
import { planSigning } from './notary.ts';
import { readRecord } from './record.ts';
import { readEvidence } from './start.ts';

const Flags = z.object({
  tag: z.string().optional(),
  layout: z.string().optional(),
  evidence: z.string().optional(),
  scan: z.string().optional(),
  sbom: z.string().optional(),
  builtBy: z.string().optional(),
  output: z.string().optional(),
  channel: z.string().optional(),
  rehearsal: z.boolean().default(false),
  schema: z.boolean().default(false),
});

/** What a build left for the plan, in `build.json`. */
const BuildRecord = z.object({
  base: Bases.optional(),
  tools: z.record(z.string(), z.string()),
  startedOn: z.iso.datetime().optional(),
  finishedOn: z.iso.datetime().optional(),
});
type BuildRecord = z.infer<typeof BuildRecord>;

/** `plan --tag VERSION`: what a publish would do, written to plan.json and printed. */
export const plan: CommandModule = {
  async run(context, _, flags) {
    const options = Flags.parse(flags);
    if (options.schema) {
      context.print(JSON.stringify(z.toJSONSchema(Plan), null, 2), z.toJSONSchema(Plan));
      return;
    }
    const version = parseVersion(options.tag ?? '');
    const target = await openTarget(context.settings, version, context.signal);
    try {
      const made = await makePlan(context, target, version, {
        ...options,
        rehearsal: options.rehearsal || target.rehearsal,
      });
      const folder = releaseFolder(context.settings.home, version);
      await writePlan(made, folder, options.output);
      context.print(describePlan(made.plan), made.plan);
    } finally {
      await target.close();
    }
  },
};

/** A plan, and what it packed. */
export interface MadePlan {
  readonly plan: Plan;
  readonly chart: Chart | undefined;
  readonly manifests: string | undefined;
}

/**
 * Writes the chart and the manifests of a release into its folder, then the plan.
 *
 * @param path of the plan, where it is another one
 */
export async function writePlan(
  { plan, chart, manifests }: MadePlan,
  folder: ReleaseFolder,
  path = folder.plan,
): Promise<void> {
  if (chart !== undefined) await writeChart(chart, folder.chart);
  if (manifests !== undefined) await writeWhole(folder.manifests, manifests);
  await writeWhole(path, formatPlan(plan));
}

/**
 * Packs the project's chart for a release; `undefined` where it has none.
 *
 * @param index digest of the image that it runs
 * @throws ReleaseError CHART_INVALID, GIT_*
 */
export async function packChartOf(
  settings: Settings,
  version: Version,
  { head, time }: Pick<Repository, 'head' | 'time'>,
  index: string,
): Promise<Chart | undefined> {
  const place = chartOf(settings);
  if (place === undefined) return undefined;
  const { folder, repository } = place;
  const image = imageOf(settings);
  return makeChart(settings.project, folder, { version, image, index, repository, revision: head, time });
}

/** As users name the image, also in a rehearsal, whose registry is at another port each time. */
function imageOf(settings: Settings): string {
  return `${settings.registry}/${repositoryOf(settings)}`;
}

/**
 * Plans the release of a layout from what lies beside it: the evidence that it was started, its scan report, SBOMs.
 *
 * @param options.builtBy the engine that built it, where that was not this program and left no `build.json`
 * @throws ReleaseError of every gate: git, start, scan, immutable tag, who signs
 */
export async function makePlan(
  context: Pick<Context, 'settings' | 'secrets' | 'signal'>,
  target: Target,
  version: Version,
  options: {
    layout?: string | undefined;
    evidence?: string | undefined;
    scan?: string | undefined;
    sbom?: string | undefined;
    builtBy?: string | undefined;
    channel?: string | undefined;
    rehearsal: boolean;
  },
): Promise<MadePlan> {
  const { settings } = context;
  const folder = releaseFolder(settings.home, version);
  // What this machine knows, before a registry is asked; who signs is the question it answers wrongly most often.
  const [signing, repository, layout] = await together([
    planSigning(context, options.rehearsal),
    readRepository(settings.project),
    readLayout(options.layout ?? folder.layout),
  ]);
  assertClean(repository);
  await assertTagAtHead(settings.project, version, repository);
  const index = layout.index.digest;
  const [known, build, report, chart] = await together([
    target.registry.tags(),
    readBuild(settings, folder.build, options.builtBy),
    readRecord(options.scan ?? join(folder.scan, 'report.json'), ScanReport),
    packChartOf(settings, version, repository, index),
  ]);
  if (build?.base?.standIn === true && !options.rehearsal) {
    throw new ReleaseError(
      'BASE_IMAGE',
      `${version.tag} was built on a stand-in for its base image, and such an image is never released.`,
      'Build it where the base images can be reached, or name reachable ones with --base-images.',
    );
  }
  if (report === undefined) {
    throw new ReleaseError(
      'PLAN_INVALID',
      `${version.tag} was not scanned.`,
      `Run \`thoth-release scan --layout ${layout.dir} --output ${folder.scan}\` first.`,
    );
  }
  const released = known.map(versionOrNone).filter((one) => one !== undefined);
  const tags = tagsFor(version, [...repository.versions, ...released], { channel: options.channel });
  const platforms = layout.platforms.map(({ platform }) => platform);
  const [current, plannedChart, manifests, starts, facts, sboms] = await together([
    currentTags(target.registry, tags),
    planChartOf(settings, target, version, chart),
    manifestsOf(settings, version, index),
    readEvidence(options.evidence ?? folder.starts),
    buildFacts(settings, build),
    sbomDigests(options.sbom ?? folder.sbom, platforms),
  ]);
  const plan = planRelease({
    version,
    target: { registry: target.host, repository: target.repository },
    rehearsal: options.rehearsal,
    source: { revision: repository.head, time: repository.time, url: repository.url },
    layout,
    starts,
    scan: report,
    tags,
    current,
    chart: plannedChart,
    manifests: manifests === undefined ? undefined : sha256(manifests),
    base: build?.base,
    tools: { node: process.versions.node, scanner: report.scanner, ...build?.tools },
    build: facts,
    sboms,
    signing,
  });
  return { plan, chart, manifests };
}

async function planChartOf(settings: Settings, target: Target, version: Version, chart: Chart | undefined) {
  const place = chartOf(settings)?.repository;
  if (chart === undefined || place === undefined) return undefined;
  return planChart(chart, place, target.repositoryAt(place), version);
}

async function manifestsOf(settings: Settings, version: Version, index: string): Promise<string | undefined> {
  const { project, manifests } = settings;
  if (manifests === undefined) return undefined;
  return releaseManifests(project, manifests, { version, image: imageOf(settings), index });
}

/** What this program's own build wrote down; else what the caller says of an engine that built by the settings. */
async function readBuild(
  settings: Settings,
  path: string,
  builtBy: string | undefined,
): Promise<BuildRecord | undefined> {
  if (builtBy === undefined) return readRecord(path, BuildRecord);
  const images = wantedImages(settings, await readBases(settings));
  return { base: { images, standIn: false }, tools: { builder: builtBy } };
}

async function buildFacts(settings: Settings, build: BuildRecord | undefined): Promise<BuildFacts> {
  const { workflow, project, build: by } = settings;
  const { startedOn, finishedOn } = build ?? {};
  const lock = await readIfThere(join(project, by.lockfile));
  return {
    builder: builderOf(settings),
    ...(workflow === undefined ? {} : { invocation: workflow.invocation }),
    ...(startedOn === undefined ? {} : { startedOn }),
    ...(finishedOn === undefined ? {} : { finishedOn }),
    dockerfile: by.dockerfile,
    ...(lock === undefined ? {} : { lockfile: { name: by.lockfile, sha256: sha256(lock) } }),
  };
}
