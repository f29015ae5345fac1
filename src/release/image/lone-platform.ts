import { writeIndexes } from './image-writer.ts';
import { parseBlob, parseFile } from './layout.ts';
import { ImageConfig, ImageIndex, ImageManifest, MANIFEST_TYPE } from './oci.ts';

/**
 * Puts an image index over the one manifest of a layout: an engine may leave it out where there is one platform, as
 * Dagger does (imageexport/writer.go of 0.21), and a release is an index always. Any other layout stays as it is.
 *
 * @throws ReleaseError LAYOUT_INVALID, LAYOUT_CORRUPT
 */
export async function coverLonePlatform(dir: string): Promise<void> {
  const { manifests } = await parseFile(dir, 'index.json', ImageIndex);
  const [entry, ...others] = manifests;
  if (entry?.mediaType !== MANIFEST_TYPE || others.length > 0) return;
  const manifest = await parseBlob(dir, entry, ImageManifest);
  const { os, architecture, variant } = await parseBlob(dir, manifest.config, ImageConfig);
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const { mediaType, digest, size } = entry;
  await writeIndexes(dir, { release: [{ mediaType, digest, size, platform }] });
}
