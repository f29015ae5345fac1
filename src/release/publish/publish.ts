import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseError } from '../errors.ts';
import { type Layout, readLayout, verifyLayout } from '../image/layout.ts';
import { each } from '../machine/together.ts';
import type { Registry } from '../registry/registry.ts';
import {
  expectedAttachments,
  expectedOnChart,
  type Planned,
  plannedOnChart,
  releasedBy,
} from './attachments.ts';
import { attestRelease, type Notary } from './attest.ts';
import { type ChartRelease, downloadChart, readPlannedChart } from './chart-release.ts';
import { movesLeft } from './current-tags.ts';
import type { Journal } from './journal.ts';
import type { Plan, TagMove } from './plan.ts';

/** What a run of a plan did. Where `moved` and `signed` are empty, all was in place already: nothing was written. */
export interface Applied {
  readonly moved: readonly string[];
  /** What was signed and attached: `signature of the index`, `provenance`. */
  readonly signed: readonly string[];
  readonly inPlace: readonly string[];
  /** The tag of the Helm chart, where this run made it. */
  readonly chart?: string;
  /** An earlier run of the same plan was cut off, and this one went on from there. */
  readonly resumed: boolean;
}

/** Who signs a release, what is signed, and a folder that keeps it. */
export interface Attestation {
  readonly notary: Notary;
  readonly planned: readonly Planned[];
  readonly kept: string;
}

/** What a plan is applied with. */
interface Applying {
  readonly registry: Registry;
  readonly journal: Journal;
  readonly layout?: Layout | undefined;
  readonly chart?: ChartRelease | undefined;
  readonly attest?: Attestation | undefined;
  readonly scratch: string;
  say(line: string): void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Applies a plan: push by digest, read it back, sign it, then the tags one by one, `latest` last.
 *
 * The Helm chart, which names the image by its digest, is pushed, read back and signed after the image. Its tag comes
 * after the exact one: a chart's version is of a version that is there. It comes before the range tags: where `latest`
 * leads, all of the release is to be had.
 *
 * What is not in the registry as it was built is not signed, and no tag leads to what is not signed. No order of
 * failures leaves a tag at an image that is not whole: a tag moves only when all of the image is in the registry and
 * was read back from there. Run again after it was cut off anywhere, it does what is left and ends in the same state;
 * run again after it ended, it writes nothing.
 *
 * @param options.layout what is pushed; a rollback or promotion moves tags to what is there, and has none
 * @param options.chart the chart of the plan; where the plan has none it is not looked at
 * @param options.attest how it is signed; nothing is, without
 * @param options.scratch folder for what is read back
 * @throws ReleaseError LAYOUT_CORRUPT, PLAN_INVALID before anything is written; PLAN_STALE where a tag went
 *   elsewhere meanwhile; VERIFY_FAILED where the registry serves other bytes; SIGN_*; REGISTRY_* as it fails
 */
export async function applyPlan(plan: Plan, options: Applying): Promise<Applied> {
  const { registry, journal, layout } = options;
  const chart = plan.chart === undefined ? undefined : options.chart;
  if (layout !== undefined) await assertPlanned(plan, layout);
  if (chart !== undefined) await readPlannedChart(plan, chart.dir);
  const left = await movesLeft(plan.version, registry, plan.moves);
  const [chartMove] =
    plan.chart === undefined || chart === undefined
      ? []
      : await movesLeft(plan.version, chart.registry, [plan.chart.move]);
  const moves = movesInOrder(plan.version, registry, left, chart, chartMove);
  if (moves.length > 0 && journal.completed) throw movedSince(plan, moves);
  if (left.length > 0) await pushImage(plan, options);
  if (chart !== undefined && chartMove !== undefined) await pushChart(chart, chartMove.to, options);
  const signed = await signAll(plan, options, chart);
  for (const { name, repository, move } of moves) {
    options.signal?.throwIfAborted();
    options.say(`${name} -> ${move.to}`);
    await journal.step(`tag ${name}`, () => moveTag(repository, plan.version, move));
  }
  if (left.length > 0) await assertMoved(registry, plan.moves);
  if (chart !== undefined && chartMove !== undefined) await assertMoved(chart.registry, [chartMove]);
  await journal.end();
  const moved = left.map((move) => move.tag);
  const inPlace = plan.moves.map((move) => move.tag).filter((tag) => !moved.includes(tag));
  const made = chartMove === undefined ? {} : { chart: chartMove.tag };
  return { moved, inPlace, ...made, signed, resumed: journal.resumed };
}

/** A tag's move, with its name in the journal. */
interface NamedMove {
  readonly name: string;
  readonly repository: Registry;
  readonly move: TagMove;
}

/** What is left to move: the exact tag, then the chart's, then the others. */
function movesInOrder(
  exact: string,
  registry: Registry,
  left: readonly TagMove[],
  chart: ChartRelease | undefined,
  chartMove: TagMove | undefined,
): NamedMove[] {
  const moves: NamedMove[] = left.map((move) => ({ name: move.tag, repository: registry, move }));
  if (chart === undefined || chartMove === undefined) return moves;
  const place = left[0]?.tag === exact ? 1 : 0;
  return moves.toSpliced(place, 0, {
    name: `chart ${chartMove.tag}`,
    repository: chart.registry,
    move: chartMove,
  });
}

async function pushImage(plan: Plan, { registry, journal, layout, scratch, say }: Applying): Promise<void> {
  if (layout !== undefined) {
    say(`pushing ${plan.index} to ${registry.name}`);
    await journal.step('push', () => registry.push(layout.dir, plan.index));
  }
  say('reading it back');
  await journal.step('read back', () => readBack(registry, plan, scratch));
}

async function pushChart(
  { registry, dir }: ChartRelease,
  digest: string,
  { journal, scratch, say }: Applying,
): Promise<void> {
  say(`pushing the chart ${digest} to ${registry.name}`);
  await journal.step('push chart', () => registry.push(dir, digest));
  await journal.step('read back chart', () => downloadChart(registry, digest, scratch));
}

/** Also where every tag is in place: somebody may have removed a signature. */
async function signAll(plan: Plan, options: Applying, chart: ChartRelease | undefined): Promise<string[]> {
  const { attest } = options;
  if (attest === undefined) return [];
  const all = { ...options, ...attest };
  const signed = await attestRelease(expectedAttachments(releasedBy(plan)), attest.planned, all);
  if (plan.chart === undefined || chart === undefined) return signed;
  const digest = plan.chart.move.to;
  const ofChart = { ...all, registry: chart.registry };
  return [...signed, ...(await attestRelease(expectedOnChart(digest), plannedOnChart(digest), ofChart))];
}

/**
 * Downloads an image index from the registry and checks every byte of it against its digest.
 *
 * @returns the layout it was read into; the caller removes it
 * @throws ReleaseError VERIFY_FAILED
 */
export async function download(registry: Registry, digest: string, scratch: string): Promise<Layout> {
  const dir = await mkdtemp(join(scratch, 'read-back-'));
  try {
    await registry.download(digest, dir);
    const layout = await readLayout(dir);
    await verifyLayout(layout);
    if (layout.index.digest !== digest) throw otherBytes(registry, digest, [`it is ${layout.index.digest}`]);
    return layout;
  } catch (error) {
    await rm(dir, { recursive: true, force: true });
    // A full disk or Ctrl-C says nothing about the registry.
    if (!(error instanceof ReleaseError && error.code.startsWith('LAYOUT_'))) throw error;
    throw otherBytes(registry, digest, [error.message, ...error.details], error);
  }
}

function otherBytes(
  registry: Registry,
  digest: string,
  details: readonly string[],
  cause?: unknown,
): ReleaseError {
  return new ReleaseError(
    'VERIFY_FAILED',
    `${registry.name} does not serve ${digest} as it was pushed.`,
    'No tag was moved to it by this run. Tell whoever runs the registry, and run it again.',
    details,
    cause,
  );
}

async function assertPlanned(plan: Plan, layout: Layout): Promise<void> {
  await verifyLayout(layout);
  const planned = plan.made?.platforms.map((image) => `${image.platform} ${image.digest}`).sort();
  const there = layout.platforms.map((image) => `${image.platform} ${image.digest}`).sort();
  if (plan.index === layout.index.digest && JSON.stringify(planned) === JSON.stringify(there)) return;
  throw new ReleaseError(
    'PLAN_INVALID',
    `The plan of ${plan.version} is for ${plan.index}, and the layout holds ${layout.index.digest}.`,
    'Plan this layout, or give the layout that was planned.',
  );
}

/** Tags that went back after the plan was done went back on purpose: an old plan does not undo a rollback. */
function movedSince(plan: Plan, moves: readonly NamedMove[]): ReleaseError {
  const tags = moves.map(({ name }) => name);
  return new ReleaseError(
    'PLAN_STALE',
    `The plan of ${plan.version} was done before, and ${tags.join(', ')} moved since.`,
    'Nothing was moved by this run. To put the tags there again, plan the release again.',
  );
}

async function readBack(registry: Registry, plan: Plan, scratch: string): Promise<void> {
  const layout = await download(registry, plan.index, scratch);
  await rm(layout.dir, { recursive: true, force: true });
}

/** Moves one tag; its place is read once more just before, so that the window for a race is one request. */
async function moveTag(registry: Registry, version: string, move: TagMove): Promise<void> {
  if ((await movesLeft(version, registry, [move])).length === 0) return;
  await registry.tag(move.tag, move.to);
}

async function assertMoved(registry: Registry, moves: readonly TagMove[]): Promise<void> {
  const current = new Map(
    await each(moves, async ({ tag, to }) => [tag, await registry.digestOf(tag, to)] as const),
  );
  const wrong = moves.filter((move) => current.get(move.tag) !== move.to);
  if (wrong.length === 0) return;
  throw new ReleaseError(
    'VERIFY_FAILED',
    `${wrong.length} tag(s) of ${registry.name} are not where this release put them.`,
    'Somebody else moved them, or the registry is behind. Run `thoth-release verify`.',
    wrong.map((move) => `${move.tag}: ${current.get(move.tag) ?? 'absent'} in place of ${move.to}`),
  );
}
