import { ReleaseError } from '../errors.ts';
import { compareVersions, type Version } from './version.ts';

/** A tag as the OCI distribution spec allows it ("pulling manifests"): 128 characters at most. */
export const TAG = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,127}$/;
/** `v1`, `v1.0`, `v1.0.0-rc.1`: tags that belong to versions, so no channel may have them. */
const VERSION_LIKE = /^v?\d/;

/**
 * The tags a version gets, in push order: the exact one first, `latest` last.
 *
 * `vX.Y.Z` is always there. `vX.Y`, `vX` and `latest` only where this version is the highest stable one of
 * their range, so that a patch of an old line moves nothing back. A pre-release gets its exact tag, and the
 * channel where one is asked for and no higher version exists. There is no `v0`: semver promises nothing
 * between 0.x versions (semver 2.0.0, item 4).
 *
 * @param existing every version released before; this one among them changes nothing
 */
export function tagsFor(
  version: Version,
  existing: readonly Version[],
  options: { channel?: string | undefined } = {},
): string[] {
  const tags = [version.tag];
  const others = existing.filter((other) => other.version !== version.version);
  if (version.prerelease.length > 0) {
    const channel = options.channel === undefined ? [] : [parseChannel(options.channel)];
    return isHighest(version, others) ? [...tags, ...channel] : tags;
  }
  const stable = others.filter((other) => other.prerelease.length === 0);
  const line = stable.filter((other) => other.major === version.major);
  const minor = line.filter((other) => other.minor === version.minor);
  if (isHighest(version, minor)) tags.push(`v${version.major}.${version.minor}`);
  if (version.major > 0 && isHighest(version, line)) tags.push(`v${version.major}`);
  if (isHighest(version, stable)) tags.push('latest');
  return tags;
}

/**
 * Whether a tag can be moved: range tags, `latest` and channels can, `vX.Y.Z` never.
 * It is told by its form alone.
 */
export function isMovable(tag: string): boolean {
  return !/^v?\d+\.\d+\.\d+/.test(tag);
}

/**
 * Checks a channel's name, such as `next` or `beta`.
 *
 * @throws ReleaseError USAGE where it is no OCI tag, is `latest`, or looks like a version
 */
export function parseChannel(name: string): string {
  if (TAG.test(name) && name !== 'latest' && !VERSION_LIKE.test(name)) return name;
  throw new ReleaseError(
    'USAGE',
    `"${name}" can not be a channel.`,
    'Give a name such as next or beta: letters, digits, ".", "_" and "-", not "latest" and not like a version.',
  );
}

function isHighest(version: Version, others: readonly Version[]): boolean {
  return others.every((other) => compareVersions(version, other) > 0);
}
