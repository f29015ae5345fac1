import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import type { Registry } from '../registry/registry.ts';
import { parseChannel, tagsFor } from '../versions/tags.ts';
import { compareVersions, type Version, versionOrNone } from '../versions/version.ts';
import { currentTags } from './current-tags.ts';
import { movesTo, type Plan } from './plan.ts';

const VERSION_ANNOTATION = 'org.opencontainers.image.version';
const Annotated = z.object({ annotations: z.record(z.string(), z.string()).optional() });

/** Where a plan without a build goes, and whether that is a registry of this machine's own. */
export interface MoveTarget {
  readonly registry: string;
  readonly repository: string;
  readonly rehearsal: boolean;
}

/**
 * Plans the way back to a released version: its range tags and `latest`, where they point to a newer
 * version now, are pointed at it. Nothing is built, and no exact tag is touched.
 *
 * @throws ReleaseError USAGE for a pre-release, which no range tag ever points to; VERIFY_FAILED where the
 *   version was not released; TAG_IMMUTABLE never
 */
export async function planRollback(registry: Registry, target: MoveTarget, to: Version): Promise<Plan> {
  if (to.prerelease.length > 0) {
    throw new ReleaseError(
      'USAGE',
      `${to.tag} is a pre-release, and range tags point to stable versions only.`,
      'Name a stable version to go back to.',
    );
  }
  const digest = await released(registry, to);
  const newer: string[] = [];
  for (const tag of tagsFor(to, []).slice(1)) {
    const version = await versionAt(registry, tag);
    if (version !== undefined && compareVersions(version, to) > 0) newer.push(tag);
  }
  // The exact tag goes first and stays where it is: a plan always says which version it is about.
  return movePlan('rollback', registry, target, to, digest, [to.tag, ...newer]);
}

/** Plans a channel's move to a released version. @throws ReleaseError USAGE; VERIFY_FAILED */
export async function planPromotion(
  registry: Registry,
  target: MoveTarget,
  to: Version,
  channel: string,
): Promise<Plan> {
  const tag = parseChannel(channel);
  return movePlan('promote', registry, target, to, await released(registry, to), [to.tag, tag]);
}

/** The version whose image a tag points to, as that image says; `undefined` where there is no such tag. */
export async function versionAt(registry: Registry, tag: string): Promise<Version | undefined> {
  if ((await registry.digestOf(tag)) === undefined) return undefined;
  const index = Annotated.safeParse(JSON.parse(await registry.manifest(tag)));
  return versionOrNone(index.data?.annotations?.[VERSION_ANNOTATION] ?? '');
}

async function movePlan(
  action: 'rollback' | 'promote',
  registry: Registry,
  target: MoveTarget,
  to: Version,
  digest: string,
  tags: readonly string[],
): Promise<Plan> {
  const { registry: host, repository, rehearsal } = target;
  const moves = movesTo(digest, tags, await currentTags(registry, tags));
  return {
    schema: 1,
    action,
    version: to.tag,
    registry: host,
    repository,
    rehearsal,
    index: digest,
    moves,
  };
}

async function released(registry: Registry, version: Version): Promise<string> {
  const digest = await registry.digestOf(version.tag);
  if (digest !== undefined) return digest;
  throw new ReleaseError(
    'VERIFY_FAILED',
    `${registry.name} holds no ${version.tag}.`,
    'Name a version that was released: `regctl tag ls` or the registry’s own page lists them.',
  );
}
