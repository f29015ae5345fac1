import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { digestOf } from './digest.ts';
import { blobPath } from './layout.ts';
import { type Descriptor, INDEX_TYPE, MANIFEST_TYPE } from './oci.ts';

const CONFIG_TYPE = 'application/vnd.oci.image.config.v1+json';
const LAYER_TYPE = 'application/vnd.oci.image.layer.v1.tar+gzip';
/** Of everything made here, so that the same files give the same digests. */
const CREATED = '1970-01-01T00:00:00Z';

/** A layer as a blob of the layout. */
export interface WrittenLayer {
  readonly descriptor: Descriptor;
  /** Digest of the tar file before compression: `diff_ids` of the image config. */
  readonly diffId: string;
  readonly createdBy: string;
}

/**
 * Compresses a tar file into a blob of the OCI layout at `dir`. It is done fast rather than well: this is
 * for images that stay on this machine.
 */
export async function writeLayer(dir: string, tar: string, createdBy: string): Promise<WrittenLayer> {
  await mkdir(join(dir, 'blobs', 'sha256'), { recursive: true });
  const [plain, packed] = [createHash('sha256'), createHash('sha256')];
  let size = 0;
  const before = new PassThrough().on('data', (chunk: Buffer) => plain.update(chunk));
  const after = new PassThrough().on('data', (chunk: Buffer) => {
    packed.update(chunk);
    size += chunk.length;
  });
  const partial = join(dir, `${randomUUID()}.partial`);
  await pipeline(createReadStream(tar), before, createGzip({ level: 1 }), after, createWriteStream(partial));
  const digest = `sha256:${packed.digest('hex')}`;
  await rename(partial, blobPath(dir, digest));
  return {
    descriptor: { mediaType: LAYER_TYPE, digest, size },
    diffId: `sha256:${plain.digest('hex')}`,
    createdBy,
  };
}

/**
 * Composes an image for `linux/ARCHITECTURE`.
 *
 * @param image.config `config` of the image config, as `{ Env: [...] }`
 * @returns its manifest's descriptor, with the platform
 */
export async function writeImage(
  dir: string,
  image: {
    architecture: string;
    config: Readonly<Record<string, unknown>>;
    layers: readonly WrittenLayer[];
  },
): Promise<Descriptor> {
  const platform = { os: 'linux', architecture: image.architecture };
  const config = await writeJson(dir, CONFIG_TYPE, {
    created: CREATED,
    ...platform,
    config: image.config,
    rootfs: { type: 'layers', diff_ids: image.layers.map((layer) => layer.diffId) },
    history: image.layers.map((layer) => ({ created: CREATED, created_by: layer.createdBy })),
  });
  const layers = image.layers.map((layer) => layer.descriptor);
  const manifest = { schemaVersion: 2, mediaType: MANIFEST_TYPE, config, layers };
  return { ...(await writeJson(dir, MANIFEST_TYPE, manifest)), platform };
}

/** Completes the layout: an image index for each tag, of the manifests given. */
export async function writeIndexes(
  dir: string,
  tags: Readonly<Record<string, readonly Descriptor[]>>,
): Promise<void> {
  const manifests: Descriptor[] = [];
  for (const [tag, images] of Object.entries(tags)) {
    const index = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests: images };
    const annotations = { 'org.opencontainers.image.ref.name': tag };
    manifests.push({ ...(await writeJson(dir, INDEX_TYPE, index)), annotations });
  }
  const root = { schemaVersion: 2, mediaType: INDEX_TYPE, manifests };
  await writeFile(join(dir, 'index.json'), JSON.stringify(root));
  await writeFile(join(dir, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}

/** Stores a value as a blob of JSON. */
export async function writeJson(dir: string, mediaType: string, value: unknown): Promise<Descriptor> {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = digestOf(bytes);
  await writeFile(blobPath(dir, digest), bytes);
  return { mediaType, digest, size: bytes.length };
}
