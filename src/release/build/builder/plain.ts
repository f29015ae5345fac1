import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeIndexes, writeJson } from '../../image/image-writer.ts';
import { blobPath } from '../../image/layout.ts';
import { Descriptor, ImageIndex } from '../../image/oci.ts';

const REF_NAME = 'org.opencontainers.image.ref.name';

const Manifest = z.looseObject({ config: Descriptor });

/** An image config in Docker's format: the OCI image spec's, and what names one build among many. */
const DockerConfig = z.looseObject({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
  config: z.looseObject({}),
  history: z.array(z.looseObject({})).default([]),
});

/**
 * Makes one index of images that an engine left in the layout at `dir`, in Docker's format. Their configs are
 * written anew without the container that each was made in, and without the address its base came from: so
 * the same build gives the same digests.
 *
 * @param tags of the images, in the order of the index
 * @param tag of the index; nothing else is named by the layout then
 */
export async function indexPlain(dir: string, tags: readonly string[], tag: string): Promise<void> {
  const { manifests } = ImageIndex.parse(JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')));
  const images: Descriptor[] = [];
  for (const name of tags) {
    const entry = manifests.find((manifest) => manifest.annotations?.[REF_NAME] === name);
    if (entry === undefined) throw new Error(`${dir} holds no ${name}`);
    const manifest = Manifest.parse(await readBlob(dir, entry));
    const config = plainConfig(DockerConfig.parse(await readBlob(dir, manifest.config)));
    const written = await writeJson(dir, manifest.config.mediaType, config);
    const { os, architecture, variant } = config;
    images.push({
      ...(await writeJson(dir, entry.mediaType, { ...manifest, config: written })),
      platform: { os, architecture, ...(variant === undefined ? {} : { variant }) },
    });
  }
  await writeIndexes(dir, { [tag]: images });
}

function plainConfig(image: z.infer<typeof DockerConfig>): z.infer<typeof DockerConfig> {
  return {
    ...without(image, ['container', 'container_config', 'parent']),
    config: without(image.config, ['Hostname', 'Domainname', 'Image']),
    history: image.history.map((entry) => without(entry, ['comment'])),
  };
}

function without<T extends object>(value: T, names: readonly string[]): T {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name))) as T;
}

async function readBlob(dir: string, { digest }: Descriptor): Promise<unknown> {
  return JSON.parse(await readFile(blobPath(dir, digest), 'utf8'));
}
