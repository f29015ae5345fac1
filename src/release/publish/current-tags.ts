import { each } from '../machine/together.ts';
import type { Registry } from '../registry/registry.ts';
import { type CurrentTags, remainingMoves, type TagMove } from './plan.ts';

/** Asks the registry what each of the tags points to. */
export async function currentTags(
  registry: Registry,
  tags: readonly (string | { tag: string })[],
): Promise<CurrentTags> {
  const names = tags.map((entry) => (typeof entry === 'string' ? entry : entry.tag));
  const look = async (tag: string) => [tag, await registry.digestOf(tag)] as const;
  // The first one alone: a registry that refuses a password is not asked with it again.
  return new Map([...(await each(names.slice(0, 1), look)), ...(await each(names.slice(1), look))]);
}

/** The moves of a version that are not done yet, as the registry is now. @throws ReleaseError PLAN_STALE */
export async function movesLeft(
  version: string,
  registry: Registry,
  moves: readonly TagMove[],
): Promise<TagMove[]> {
  return remainingMoves({ version, moves: [...moves] }, await currentTags(registry, moves));
}
