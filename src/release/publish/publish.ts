import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseError } from '../errors.ts';
import { type Layout, readLayout, verifyLayout } from '../image/layout.ts';
import type { Registry } from '../registry/registry.ts';
import type { Planned } from './attachments.ts';
import { attestRelease, type Notary } from './attest.ts';
import type { Journal } from './journal.ts';
import { type CurrentTags, type Plan, remainingMoves, type TagMove } from './plan.ts';

/** What a run of a plan did. Where `moved` and `signed` are empty, all was in place already: nothing was written. */
export interface Applied {
  readonly moved: readonly string[];
  /** What was signed and attached: `signature of the index`, `provenance`. */
  readonly signed: readonly string[];
  readonly inPlace: readonly string[];
  /** An earlier run of the same plan was cut off, and this one went on from there. */
  readonly resumed: boolean;
}

/** Who signs a release, what is signed, and a folder that keeps it. */
export interface Attestation {
  readonly notary: Notary;
  readonly planned: readonly Planned[];
  readonly kept: string;
}

/**
 * Applies a plan: push by digest, read it back, sign it, then the tags one by one, `latest` last.
 *
 * What is not in the registry as it was built is not signed, and no tag leads to what is not signed. No order of
 * failures leaves a tag at an image that is not whole: a tag moves only when all of the image is in the registry and
 * was read back from there. Run again after it was cut off anywhere, it does what is left and ends in the same state;
 * run again after it ended, it writes nothing.
 *
 * @param options.layout what is pushed; a rollback or promotion moves tags to what is there, and has none
 * @param options.attest how it is signed; nothing is, without
 * @param options.scratch folder for what is read back
 * @throws ReleaseError LAYOUT_CORRUPT, PLAN_INVALID before anything is written; PLAN_STALE where a tag went
 *   elsewhere meanwhile; VERIFY_FAILED where the registry serves other bytes; SIGN_*; REGISTRY_* as it fails
 */
export async function applyPlan(
  plan: Plan,
  options: {
    registry: Registry;
    journal: Journal;
    layout?: Layout | undefined;
    attest?: Attestation | undefined;
    scratch: string;
    say(line: string): void;
    signal?: AbortSignal | undefined;
  },
): Promise<Applied> {
  const { registry, journal, layout, say } = options;
  if (layout !== undefined) await assertPlanned(plan, layout);
  const left = remainingMoves(plan, await currentTags(registry, plan.moves));
  const moved = left.map((move) => move.tag);
  if (left.length > 0 && journal.completed) throw movedSince(plan, moved);
  if (left.length > 0) {
    if (layout !== undefined) {
      say(`pushing ${plan.index} to ${registry.name}`);
      await journal.step('push', () => registry.push(layout.dir, plan.index));
    }
    say('reading it back');
    await journal.step('read back', () => readBack(registry, plan, options.scratch));
  }
  // Also where every tag is in place: somebody may have removed a signature.
  const { attest } = options;
  const signed =
    attest === undefined ? [] : await attestRelease(plan, attest.planned, { ...options, ...attest });
  for (const move of left) {
    options.signal?.throwIfAborted();
    say(`${move.tag} -> ${move.to}`);
    await journal.step(`tag ${move.tag}`, () => moveTag(registry, plan, move));
  }
  if (left.length > 0) await assertMoved(registry, plan);
  await journal.end();
  const inPlace = plan.moves.map((move) => move.tag).filter((tag) => !moved.includes(tag));
  return { moved, inPlace, signed, resumed: journal.resumed };
}

/** Asks the registry what each of the tags points to. */
export async function currentTags(
  registry: Registry,
  tags: readonly (string | { tag: string })[],
): Promise<CurrentTags> {
  const current = new Map<string, string | undefined>();
  for (const entry of tags) {
    const tag = typeof entry === 'string' ? entry : entry.tag;
    current.set(tag, await registry.digestOf(tag));
  }
  return current;
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
function movedSince(plan: Plan, tags: readonly string[]): ReleaseError {
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
async function moveTag(registry: Registry, plan: Plan, move: TagMove): Promise<void> {
  const now = await currentTags(registry, [move]);
  if (remainingMoves({ ...plan, moves: [move] }, now).length === 0) return;
  await registry.tag(move.tag, move.to);
}

async function assertMoved(registry: Registry, plan: Plan): Promise<void> {
  const current = new Map<string, string | undefined>();
  for (const { tag, to } of plan.moves) current.set(tag, await registry.digestOf(tag, to));
  const wrong = plan.moves.filter((move) => current.get(move.tag) !== move.to);
  if (wrong.length === 0) return;
  throw new ReleaseError(
    'VERIFY_FAILED',
    `${wrong.length} tag(s) are not where this release put them.`,
    'Somebody else moved them, or the registry is behind. Run `thoth-release verify`.',
    wrong.map((move) => `${move.tag}: ${current.get(move.tag) ?? 'absent'} in place of ${move.to}`),
  );
}
