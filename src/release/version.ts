import semver from 'semver';
import { ReleaseError } from './errors.ts';

/** A release's version: `tag` is the git and image tag with its `v`, the rest is the parsed semver. */
export interface Version {
  readonly tag: string;
  readonly version: string;
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  readonly prerelease: readonly (string | number)[];
}

/**
 * Parses `v1.2.3`, `1.2.3`, `v1.2.3-rc.1` (semver 2.0.0, strict).
 *
 * @throws ReleaseError VERSION_INVALID for anything else, and for build metadata: an OCI tag can't hold
 *   `+`, so `1.0.0+a` and `1.0.0+b` would be one tag (OCI distribution spec, "pulling manifests").
 */
export function parseVersion(input: string): Version {
  const text = input.startsWith('v') ? input.slice(1) : input;
  const parsed = semver.parse(text, { loose: false });
  if (parsed === null || parsed.raw !== text) {
    throw new ReleaseError(
      'VERSION_INVALID',
      `"${input}" is not a semantic version.`,
      'Give one such as v1.2.3 or v1.2.3-rc.1 (https://semver.org).',
    );
  }
  if (parsed.build.length > 0) {
    throw new ReleaseError(
      'VERSION_INVALID',
      `"${input}" has build metadata, and two builds of one version would share the image tag v${parsed.version}.`,
      'Drop the part from "+" on.',
    );
  }
  const { version, major, minor, patch, prerelease } = parsed;
  return { tag: `v${version}`, version, major, minor, patch, prerelease: [...prerelease] };
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
