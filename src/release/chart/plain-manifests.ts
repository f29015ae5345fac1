import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ReleaseError } from '../errors.ts';
import { readIfThere } from '../machine/file.ts';
import type { ChartFacts } from './chart.ts';

/** The chart as it is rendered for those who have no Helm; test/deploy/helm/write-rendered.ts writes it. */
const FILE = 'deploy/kubernetes/thoth.yaml';
/** What stands in it for the release. */
const VERSION = 'v0.0.0';
const IMAGE = new RegExp(`^( *(?:- )?image: )"?[^"\\s]+:${VERSION}"?$`, 'gm');

export function hasManifests(project: string): boolean {
  return existsSync(join(project, FILE));
}

/**
 * The project's plain manifests for a release: its version, and its image by the digest.
 *
 * @returns `undefined` where the project has none
 * @throws ReleaseError CHART_INVALID where they name no image that a release could put its own in place of
 */
export async function releaseManifests(
  project: string,
  { version, image, index }: Pick<ChartFacts, 'version' | 'image' | 'index'>,
): Promise<string | undefined> {
  const text = (await readIfThere(join(project, FILE)))?.toString();
  if (text === undefined) return undefined;
  const released = text.replaceAll(IMAGE, `$1"${image}:${version.tag}@${index}"`);
  if (released === text) {
    throw new ReleaseError(
      'CHART_INVALID',
      `${FILE} can not be released: it names no image with the tag ${VERSION}.`,
      'Write it anew: node --import tsx test/deploy/helm/write-rendered.ts',
    );
  }
  return released.replaceAll(VERSION, version.tag);
}
