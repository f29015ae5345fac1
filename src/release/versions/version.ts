import semver from 'semver';
import { ReleaseError } from '../errors.ts';

/** A release's version: `tag` is the git and image tag with its `v`, the rest is the parsed semver. */
export interface Version {
  readonly tag: string;
  readonly version: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly prerelease: readonly (string | number)[];
}

/** Longest tag a registry takes (OCI distribution spec, "pulling manifests"). */
const TAG_LENGTH = 128;

/**
 * Parses `v1.2.3`, `1.2.3`, `v1.2.3-rc.1` (semver 2.0.0, strict).
 *
 * @throws ReleaseError VERSION_INVALID for anything else, for a tag of more than 128 characters, and for build
 *   metadata: an OCI tag can't hold `+`, so `1.0.0+a` and `1.0.0+b` would be one tag.
 */
export function parseVersion(input: string): Version {
  const [text = '', ...build] = (input.startsWith('v') ? input.slice(1) : input).split('+');
  const parsed = semver.parse(text);
  // semver itself takes blanks around a version and a second v.
  if (parsed === null || parsed.version !== text) {
    throw invalid(
      input,
      'is not a semantic version',
      'Give one such as v1.2.3 or v1.2.3-rc.1 (https://semver.org).',
    );
  }
  const tag = `v${text}`;
  if (build.length > 0) {
    throw invalid(
      input,
      `has build metadata, and two builds of one version would share the image tag ${tag}`,
      'Drop the part from "+" on.',
    );
  }
  if (tag.length > TAG_LENGTH) {
    throw invalid(
      input,
      `is longer than the ${TAG_LENGTH} characters of an image tag`,
      'Shorten the pre-release part.',
    );
  }
  const { version, major, minor, patch, prerelease } = parsed;
  return { tag, version, major, minor, patch, prerelease };
}

/** The same, or `undefined` where the text names no version: for lists of tags that hold other things too. */
export function versionOrNone(input: string): Version | undefined {
  try {
    return parseVersion(input);
  } catch {
    return undefined;
  }
}

/** Orders two versions by semver precedence: negative, zero or positive. */
export function compareVersions(a: Version, b: Version): number {
  return semver.compare(a.version, b.version);
}

function invalid(input: string, why: string, remedy: string): ReleaseError {
  const shown = input.length > TAG_LENGTH ? `${input.slice(0, TAG_LENGTH)}…` : input;
  return new ReleaseError('VERSION_INVALID', `${JSON.stringify(shown)} ${why}.`, remedy);
}
