import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { PlatformImage } from '../../image/layout.ts';

/** What a view is called in its folder: the name is in findings, and the same on each platform. */
export const VIEW = 'image';

/**
 * Gives `work` a folder with one platform of a layout as a layout of its own, called `image`: the same blobs, by a
 * link. Nothing else is in that folder, so that no file that lies around has a say in a scan.
 */
export async function withView<T>(
  layout: string,
  image: PlatformImage,
  work: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'thoth-scan-'));
  try {
    const view = join(folder, VIEW);
    await mkdir(view);
    const manifest = { schemaVersion: 2, manifests: [image.manifest] };
    await writeFile(join(view, 'index.json'), JSON.stringify(manifest));
    await writeFile(join(view, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await symlink(resolve(layout, 'blobs'), join(view, 'blobs'));
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
