import { z } from 'zod';
import type { BaseImages } from '../build/base.ts';
import type { BuildSource } from '../build/build.ts';
import { ReleaseError } from '../errors.ts';
import { Digest, type Layout } from '../image/layout.ts';
import { REVISION_ANNOTATION } from '../image/oci.ts';
import { assertGate, describeScan } from '../scan/gate.ts';
import { ScanReport } from '../scan/scan.ts';
import { describeSigning, Signing } from '../signing/signing.ts';
import { StartEvidence } from '../start/start.ts';
import { isMovable, TAG } from '../versions/tags.ts';
import type { Version } from '../versions/version.ts';
import { parseRecord } from './record.ts';

/** A tag's move: what it points to when the plan is made (`null`: it does not exist) and what it will. */
export const TagMove = z.strictObject({
  tag: z.string().regex(TAG, 'no tag of the OCI distribution spec'),
  from: Digest.nullable(),
  to: Digest,
});
export type TagMove = z.infer<typeof TagMove>;

/** The base images of a build, by the ARG of the Dockerfile that names each. */
export const Bases = z.strictObject({ images: z.record(z.string(), z.string()), standIn: z.boolean() });

/** The facts of a build that its provenance states. */
export const BuildFacts = z.strictObject({
  /** Who built it, as a URI. */
  builder: z.url(),
  /** Page of the run that built it. */
  invocation: z.url().optional(),
  startedOn: z.iso.datetime().optional(),
  finishedOn: z.iso.datetime().optional(),
  /** The file it was built by, from the root of the project. */
  dockerfile: z.string(),
  /** The file that pins every package: its name, and its SHA-256 in hex. */
  lockfile: z.strictObject({ name: z.string(), sha256: z.string() }).optional(),
});
export type BuildFacts = z.infer<typeof BuildFacts>;

/** The SBOMs of a platform: SHA-256 of each file, in hex. */
export const SbomDigests = z.strictObject({ platform: z.string(), cyclonedx: z.string(), spdx: z.string() });
export type SbomDigests = z.infer<typeof SbomDigests>;

/**
 * What a release will do, complete: whoever applies it decides nothing more. `plan.json` holds one.
 *
 * `moves` is in the order they are made: the exact tag first, `latest` last.
 */
export const Plan = z
  .strictObject({
    schema: z.literal(1),
    action: z.enum(['publish', 'rollback', 'promote']),
    /** With its `v`: `v1.0.0`. */
    version: z.string(),
    registry: z.string(),
    repository: z.string(),
    /** Made for a registry on this machine, maybe with vulnerabilities not checked. Goes to no other. */
    rehearsal: z.boolean(),
    index: Digest,
    moves: z.array(TagMove).min(1),
    /** The Helm chart that goes with it; a project without one has none, nor has a rollback or a promotion. */
    chart: z.strictObject({ repository: z.string(), move: TagMove }).optional(),
    /** SHA-256 of the plain manifests for Kubernetes, in hex; a project without has none. */
    manifests: z.string().optional(),
    /** Who signs; a rollback or a promotion signs nothing, and what was signed stays signed. */
    signing: Signing.optional(),
    /** How `index` came to be; a rollback or a promotion builds nothing and has none. */
    made: z
      .strictObject({
        source: z.strictObject({ revision: z.string(), time: z.int(), url: z.url().optional() }),
        platforms: z.array(
          z.strictObject({ platform: z.string(), digest: Digest, size: z.int(), start: StartEvidence }),
        ),
        scan: ScanReport,
        base: Bases.optional(),
        tools: z.record(z.string(), z.string()),
        build: BuildFacts,
        /** What is attached to each platform; none where nobody signs. */
        sboms: z.array(SbomDigests),
      })
      .optional(),
  })
  .refine((plan) => plan.moves.every((move) => move.to === plan.index), {
    error: 'a tag is moved to another image than the one that is released',
    path: ['moves'],
  })
  .refine(({ action, signing }) => action !== 'publish' || signing !== undefined, {
    error: 'it does not say who signs the release',
    path: ['signing'],
  })
  .refine(({ signing, rehearsal }) => signing?.mode !== 'rehearsal' || rehearsal, {
    error: "it signs a real release with a rehearsal's key",
    path: ['signing'],
  })
  .refine(({ signing, made }) => signing === undefined || signing.mode === 'none' || made !== undefined, {
    error: 'it does not say how what is to be signed was made',
    path: ['made'],
  });
export type Plan = z.infer<typeof Plan>;

/** What the registry says each tag points to at the moment. */
export type CurrentTags = ReadonlyMap<string, string | undefined>;

/**
 * Plans the release of a layout that was started and scanned.
 *
 * @param input.tags in push order, as `tagsFor` gives them
 * @throws ReleaseError PLAN_INVALID where what was started or scanned is not what the layout holds, it was built from
 *   another commit, or a platform that is to be signed has no SBOM, SCAN_GATE and SCAN_DATA as `assertGate`, TAG_IMMUTABLE where `vX.Y.Z` exists with other content
 */
export function planRelease(input: {
  version: Version;
  target: { registry: string; repository: string };
  rehearsal: boolean;
  source: BuildSource & { readonly url?: string | undefined };
  layout: Layout;
  starts: readonly StartEvidence[];
  scan: ScanReport;
  tags: readonly string[];
  current: CurrentTags;
  chart?: Plan['chart'];
  manifests?: string | undefined;
  base?: BaseImages | undefined;
  tools: Readonly<Record<string, string>>;
  build: BuildFacts;
  sboms: readonly SbomDigests[];
  signing: Signing;
}): Plan {
  const { layout, scan, source, signing } = input;
  const sboms = signing.mode === 'none' ? [] : input.sboms;
  const revision = layout.annotations[REVISION_ANNOTATION];
  if (revision !== source.revision) throw otherCommit(revision, source.revision);
  const platforms = layout.platforms.map(({ platform, digest, size }) => {
    const start = input.starts.find((evidence) => evidence.platform === platform);
    assertSame(platform, digest, 'started', start?.digest);
    const scanned = scan.platforms.find((entry) => entry.platform === platform);
    assertSame(platform, digest, 'scanned', scanned?.digest);
    if (signing.mode !== 'none' && !sboms.some((sbom) => sbom.platform === platform)) throw noSbom(platform);
    return { platform, digest, size, start: start as StartEvidence };
  });
  assertGate(scan, { allowUnchecked: input.rehearsal });
  return {
    schema: 1,
    action: 'publish',
    version: input.version.tag,
    ...input.target,
    rehearsal: input.rehearsal,
    index: layout.index.digest,
    moves: movesTo(layout.index.digest, input.tags, input.current),
    ...(input.chart === undefined ? {} : { chart: input.chart }),
    ...(input.manifests === undefined ? {} : { manifests: input.manifests }),
    signing,
    made: {
      source: {
        revision: source.revision,
        time: source.time,
        ...(source.url === undefined ? {} : { url: source.url }),
      },
      platforms,
      scan,
      ...(input.base === undefined ? {} : { base: { ...input.base } }),
      tools: { ...input.tools },
      build: input.build,
      sboms: [...sboms],
    },
  };
}

/**
 * The moves that point `tags` at `digest`.
 *
 * @throws ReleaseError TAG_IMMUTABLE where one of them is `vX.Y.Z` and points elsewhere
 */
export function movesTo(digest: string, tags: readonly string[], current: CurrentTags): TagMove[] {
  return tags.map((tag) => {
    const from = current.get(tag) ?? null;
    if (from !== null && from !== digest && !isMovable(tag)) throw immutable(tag, from, digest);
    return { tag, from, to: digest };
  });
}

/**
 * Compares a plan with the registry as it is now. A tag may still be where the plan found it, or already
 * where the plan moves it, by an earlier run that was cut off.
 *
 * @returns the moves that are left
 * @throws ReleaseError PLAN_STALE naming each tag that went elsewhere meanwhile
 */
export function remainingMoves(plan: Pick<Plan, 'version' | 'moves'>, current: CurrentTags): TagMove[] {
  const now = (move: TagMove) => current.get(move.tag) ?? null;
  const stale = plan.moves.filter((move) => now(move) !== move.from && now(move) !== move.to);
  if (stale.length > 0) {
    throw new ReleaseError(
      'PLAN_STALE',
      `The plan of ${plan.version} is stale: ${stale.length} tag(s) moved since it was made.`,
      'Nothing was moved by this run. Plan the release again.',
      stale.map((move) => `${move.tag}: planned from ${show(move.from)}, and it is ${show(now(move))}`),
    );
  }
  return plan.moves.filter((move) => now(move) !== move.to);
}

/** Reads a plan's text. @throws ReleaseError PLAN_INVALID */
export function parsePlan(text: string, path: string): Plan {
  const message = `${path} is not a plan that this version can apply.`;
  return parseRecord(text, Plan, (why, cause) => {
    return new ReleaseError('PLAN_INVALID', message, 'Make a new one with `thoth-release plan`.', why, cause);
  });
}

/** A plan's text, the same for the same plan. */
export function formatPlan(plan: Plan): string {
  return `${JSON.stringify(plan, null, 2)}\n`;
}

/** A plan for people: what is released, and each tag's move. */
export function describePlan(plan: Plan): string {
  const { action, version, registry, repository, rehearsal, made, signing, chart } = plan;
  const about: readonly (readonly [string, string])[] = [
    ['index', plan.index],
    ...(made === undefined
      ? []
      : [
          ['commit', made.source.revision] as const,
          ...made.platforms.map((image) => [image.platform, image.digest] as const),
          ['scan', describeScan(made.scan)] as const,
        ]),
    ...(made?.base?.standIn === true ? [['base', 'A STAND-IN, not the real base image'] as const] : []),
    ...(signing === undefined ? [] : [['signed by', describeSigning(signing)] as const]),
  ];
  return [
    `${action} ${version} in ${registry}/${repository}${rehearsal ? ' (rehearsal)' : ''}`,
    ...aligned(about),
    'tags, in this order:',
    ...aligned(plan.moves.map((move) => [move.tag, describeMove(move)])),
    ...(chart === undefined
      ? []
      : [`  chart ${registry}/${chart.repository}:${chart.move.tag}  ${describeMove(chart.move)}`]),
    '',
  ].join('\n');
}

function aligned(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([name]) => name.length));
  return rows.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`);
}

function describeMove({ from, to }: TagMove): string {
  return from === to ? `stays at ${show(to)}` : `${show(from)} -> ${show(to)}`;
}

function show(digest: string | null): string {
  return digest === null ? 'absent' : digest.slice(0, 19);
}

function assertSame(platform: string, digest: string, done: string, on: string | undefined): void {
  if (on === digest) return;
  const what = on === undefined ? `was not ${done}` : `${done} is ${on}`;
  throw new ReleaseError(
    'PLAN_INVALID',
    `${platform} can not be released: ${on === undefined ? `it ${what}` : `what was ${what}, and the layout holds ${digest}`}.`,
    'What is released must be the bytes that were started and scanned. Start and scan this layout first.',
  );
}

function otherCommit(labelled: string | undefined, commit: string): ReleaseError {
  return new ReleaseError(
    'PLAN_INVALID',
    `The layout says it was built from ${labelled ?? 'no commit'}, and ${commit} is checked out.`,
    'Check out the commit that was built, or build the one that is checked out.',
  );
}

function noSbom(platform: string): ReleaseError {
  return new ReleaseError(
    'PLAN_INVALID',
    `${platform} has no SBOM, and what is signed has one.`,
    'Make it first with `thoth-release sbom`; --sbom names the folder it was written to.',
  );
}

function immutable(tag: string, from: string, to: string): ReleaseError {
  return new ReleaseError(
    'TAG_IMMUTABLE',
    `${tag} was released before, with other content.`,
    'A released version never changes. Release these changes as the next version.',
    [`in the registry: ${from}`, `in this layout:  ${to}`],
  );
}
