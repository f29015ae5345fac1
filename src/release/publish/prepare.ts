import { rm } from 'node:fs/promises';
import { type BaseImages, chooseBase } from '../build/base.ts';
import { buildLayout } from '../build/build.ts';
import type { Builder } from '../build/builder/builder.ts';
import { standInImages } from '../build/standin.ts';
import type { Repository } from '../history/git.ts';
import { type Layout, verifyLayout } from '../image/layout.ts';
import { ImageIndex } from '../image/oci.ts';
import { writeWhole } from '../machine/file.ts';
import type { Progress } from '../machine/progress.ts';
import { each, together } from '../machine/together.ts';
import { assertKept, judge } from '../policy/policy.ts';
import type { Regctl } from '../registry/regctl.ts';
import type { Registry } from '../registry/registry.ts';
import { assertGate } from '../scan/gate.ts';
import { readIgnored } from '../scan/ignored.ts';
import { writeSboms } from '../scan/sbom.ts';
import { scanLayout } from '../scan/scan.ts';
import type { ReadyScanner } from '../scan/scanner/scanner.ts';
import type { Trivy } from '../scan/scanner/trivy.ts';
import { readDockerfile, repositoryOf, type Settings } from '../settings.ts';
import type { Runner } from '../start/runner/runner.ts';
import { type StartEvidence, startPlatform } from '../start/start.ts';
import type { Version } from '../versions/version.ts';
import { releaseFolder } from './folder.ts';

/** What a local build needs besides its settings. */
export interface Workshop {
  readonly builder: Builder;
  readonly runner: Runner;
  readonly regctl: Regctl;
  readonly trivy: Trivy;
  /** The scanners with their data at hand: brought up to date at the first call, and the same at each later one. */
  scanners(say: (line: string) => void): Promise<readonly ReadyScanner[]>;
  /** Host of the embedded registry: where stand-ins are kept and engines export to. */
  readonly host: string;
  readonly progress: Progress;
  readonly signal: AbortSignal;
}

/** What a build takes from the workshop: a rebuild starts and scans nothing. */
export type BuildBench = Pick<Workshop, 'builder' | 'regctl' | 'host' | 'progress' | 'signal'>;

/**
 * Builds every platform of the project's commit into one layout.
 *
 * @param output.noCache build from nothing, to show that the same commit gives the same digest
 */
export async function buildCommit(
  settings: Settings,
  version: Version,
  repository: Pick<Repository, 'head' | 'time'>,
  bench: BuildBench,
  output: { dir: string; noCache?: boolean },
): Promise<{ layout: Layout; base: BaseImages }> {
  const { progress, signal } = bench;
  const base = await progress.stage('base images', (say) => bases(settings, bench, say));
  if (base.standIn) {
    progress.warn(
      'The base images can not be reached: this image stands on A STAND-IN made of Debian packages. It is never released.',
    );
  }
  const request = {
    settings,
    version,
    source: { revision: repository.head, time: repository.time },
    base,
    staging: `${bench.host}/staging`,
    output: output.dir,
    noCache: output.noCache ?? false,
  };
  const layout = await progress.stage('build', (say) => buildLayout(request, bench, { say, signal }));
  return { layout, base };
}

/**
 * Builds a release on this machine and puts it through every gate: image policy, start of each platform,
 * scan. What a plan is made from is left in the release's folder; nothing is pushed.
 *
 * @throws ReleaseError of the gate that closes; LAYOUT_CORRUPT where a byte of the layout changed meanwhile
 */
export async function buildRelease(
  settings: Settings,
  version: Version,
  repository: Repository,
  workshop: Workshop,
): Promise<{ layout: Layout; base: BaseImages }> {
  const { progress } = workshop;
  const folder = releaseFolder(settings.home, version);
  const startedOn = new Date().toISOString();
  const { layout, base } = await buildCommit(settings, version, repository, workshop, { dir: folder.layout });
  const finishedOn = new Date().toISOString();
  // Side by side: a start waits for the program, mostly, and the others read the layout.
  const [starts] = await together([
    startAll(settings, layout, workshop),
    progress.stage('image policy', async () => assertKept(await judge(layout, { ...settings, version }))),
    scanAll(settings, layout, folder, workshop),
  ]);
  await writeWhole(folder.starts, `${JSON.stringify(starts, null, 2)}\n`);
  const tools = { builder: workshop.builder.name, runner: workshop.runner.name };
  const record = { base, tools, startedOn, finishedOn };
  await writeWhole(folder.build, `${JSON.stringify(record, null, 2)}\n`);
  await verifyLayout(layout);
  return { layout, base };
}

/**
 * Makes room for a rehearsal that is done again: where the embedded registry holds other content under this
 * version, that version's tags go, and the lists of what was attached to it. A real registry is never asked for this.
 *
 * @param exact the version's own tag: `v1.0.0`, that of its chart `1.0.0`
 * @param digest what it is to point to now
 */
export async function forgetRehearsal(
  registry: Registry,
  exact: string,
  digest: string,
): Promise<readonly string[]> {
  const earlier = await registry.digestOf(exact);
  if (earlier === undefined || earlier === digest) return [];
  const lists = await referrerTags(registry, earlier);
  const removed: string[] = [];
  for (const tag of await registry.tags()) {
    const ofIt = lists.includes(tag);
    if (!ofIt && (await registry.digestOf(tag)) !== earlier) continue;
    await registry.removeTag(tag);
    if (!ofIt) removed.push(tag);
  }
  return removed;
}

/**
 * The tags under which a registry without the referrers API keeps what is attached to an image and its platforms (OCI
 * distribution spec 1.1, "referrers tag schema").
 */
async function referrerTags(registry: Registry, digest: string): Promise<string[]> {
  // A chart is a manifest of its own, and no index.
  const index = ImageIndex.safeParse(JSON.parse(await registry.manifest(digest)));
  const platforms = index.data?.manifests ?? [];
  return [digest, ...platforms.map((platform) => platform.digest)].map((one) => one.replace(':', '-'));
}

async function bases(
  settings: Settings,
  workshop: BuildBench,
  say: (line: string) => void,
): Promise<BaseImages> {
  const { regctl, host, signal } = workshop;
  return chooseBase(settings, regctl, (wanted) =>
    standInImages(wanted, {
      project: settings.project,
      home: settings.home,
      build: settings.build,
      architectures: settings.platforms.map((platform) => platform.split('/')[1] ?? ''),
      registry: host,
      regctl,
      say,
      signal,
    }),
  );
}

async function startAll(settings: Settings, layout: Layout, workshop: Workshop): Promise<StartEvidence[]> {
  const { runner, progress, signal } = workshop;
  const { start, policy } = settings;
  return each(
    layout.platforms,
    (image) =>
      progress.stage(`start ${image.platform}`, () =>
        startPlatform(runner, layout.dir, image, { start, healthcheck: policy.healthcheck, signal }),
      ),
    runner.together(start) ? undefined : 1,
  );
}

async function scanAll(
  settings: Settings,
  layout: Layout,
  folder: { scan: string; sbom: string },
  workshop: Workshop,
): Promise<void> {
  const { trivy, progress } = workshop;
  const { severity, licenses, registry } = settings;
  const now = new Date();
  const exceptions = await readIgnored(settings.project, now);
  await rm(folder.scan, { recursive: true, force: true });
  const dockerfile = await readDockerfile(settings);
  const report = await progress.stage('scan', async (say) => {
    const options = { severity, licenses, dockerfile, exceptions, output: folder.scan, say };
    return scanLayout(await workshop.scanners(say), layout, options);
  });
  if (report.vulnerabilities.status === 'not-checked') {
    progress.warn(`vulnerabilities: NOT CHECKED: ${report.vulnerabilities.reason}`);
  }
  assertGate(report, { allowUnchecked: true });
  await progress.stage('SBOM', () =>
    writeSboms(trivy, layout, folder.sbom, `${registry}/${repositoryOf(settings)}`),
  );
}
