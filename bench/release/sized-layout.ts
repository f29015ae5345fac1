import { createHash, randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { type Layout, readLayout } from '../../src/release/image/layout.ts';
import type { Descriptor } from '../../src/release/image/oci.ts';
import { labelsOf, MEDIA, putBlob, putJson, writeIndex } from '../../test/release/image/layout-fixture.ts';
import { tar } from '../../test/release/image/tar.ts';

const LAYER_BYTES = 32_000_000;

/**
 * Writes a layout of a given size, a layer of 32 MB at a time: no two have bytes in common, and nothing compresses.
 *
 * @param megabytes of each platform
 */
export async function sizedLayout(
  dir: string,
  platforms: readonly string[],
  megabytes: number,
): Promise<Layout> {
  await mkdir(dir, { recursive: true });
  const manifests: Descriptor[] = [];
  const annotations = labelsOf('1.0.0');
  for (const name of platforms) {
    const [os = '', architecture = ''] = name.split('/');
    const layers: Descriptor[] = [];
    const diffIds: string[] = [];
    for (let left = megabytes * 1_000_000; left > 0; left -= LAYER_BYTES) {
      const archive = tar({ [`app/part-${layers.length}`]: randomBytes(Math.min(left, LAYER_BYTES)) });
      diffIds.push(`sha256:${createHash('sha256').update(archive).digest('hex')}`);
      layers.push(await putBlob(dir, MEDIA.layer, gzipSync(archive, { level: 0 })));
    }
    const image = { os, architecture, config: {}, rootfs: { type: 'layers', diff_ids: diffIds } };
    const config = await putJson(dir, MEDIA.config, image);
    const manifest = { schemaVersion: 2, mediaType: MEDIA.manifest, config, layers, annotations };
    manifests.push({ ...(await putJson(dir, MEDIA.manifest, manifest)), platform: { os, architecture } });
  }
  const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests, annotations };
  const entry = await putJson(dir, MEDIA.index, index);
  await writeIndex(dir, [{ ...entry, annotations: { 'org.opencontainers.image.ref.name': 'release' } }]);
  return readLayout(dir);
}
