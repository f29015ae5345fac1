import { join } from 'node:path';
import { ReleaseError } from '../errors.ts';
import { readIfThere } from '../machine/file.ts';
import type { ChartFacts } from './chart.ts';

/** What stands in the manifests for the release. */
const VERSION = 'v0.0.0';
const IMAGE = new RegExp(`^( *(?:- )?image: )"?[^"\\s]+:${VERSION}"?$`, 'gm');

/**
 * The project's plain manifests for a release, its version and its image by the digest in them: the chart, rendered for
 * those who have no Helm.
 *
 * @param file where they are in the project
 * @throws ReleaseError CHART_INVALID where there are none, or they name no image that a release could put its own in
 *   place of
 */
export async function releaseManifests(
  project: string,
  file: string,
  { version, image, index }: Pick<ChartFacts, 'version' | 'image' | 'index'>,
): Promise<string> {
  const text = (await readIfThere(join(project, file)))?.toString();
  const released = text?.replaceAll(IMAGE, `$1"${image}:${version.tag}@${index}"`);
  if (released === undefined || released === text) {
    const why = text === undefined ? 'it is not there' : `it names no image with the tag ${VERSION}`;
    throw new ReleaseError(
      'CHART_INVALID',
      `${file} can not be released: ${why}.`,
      'Render the chart into it anew, with that tag; or leave chart.manifests out of thoth-release.json.',
    );
  }
  return released.replaceAll(VERSION, version.tag);
}
