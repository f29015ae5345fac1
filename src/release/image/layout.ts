import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { type Descriptor, ImageConfig, ImageIndex, ImageManifest, INDEX_TYPE, LayoutFile } from './oci.ts';

export { Digest } from './oci.ts';

/** One platform's image as the layout holds it. Sizes are bytes, compressed. */
export interface PlatformImage {
  /** `linux/amd64`, `linux/arm64`, `linux/arm/v7`; a variant is named where there is more than one. */
  readonly platform: string;
  /** The manifest's digest. */
  readonly digest: string;
  readonly manifest: Descriptor;
  readonly configDigest: string;
  readonly config: ImageConfig;
  readonly layers: readonly Descriptor[];
  readonly annotations: Readonly<Record<string, string>>;
  /** Manifest, config and layers together. */
  readonly size: number;
}

/** An OCI image layout (OCI image spec, image-layout.md) with one image index in it. */
export interface Layout {
  readonly dir: string;
  readonly index: Descriptor;
  readonly annotations: Readonly<Record<string, string>>;
  /** In the order of the index, without the attestations that BuildKit keeps beside them. */
  readonly platforms: readonly PlatformImage[];
  /** Every blob once: index, manifests, configs, layers. */
  readonly blobs: readonly Descriptor[];
}

/**
 * Reads the image index of a layout and every platform under it, checking each blob that is parsed
 * against its digest. Layers are not read; {@link verifyLayout} does.
 *
 * @throws ReleaseError LAYOUT_INVALID where `dir` is no layout with exactly one image index,
 *   LAYOUT_CORRUPT where a blob is missing or isn't what its digest says.
 */
export async function readLayout(dir: string): Promise<Layout> {
  await parseFile(dir, 'oci-layout', LayoutFile);
  const { manifests: entries } = await parseFile(dir, 'index.json', ImageIndex);
  const [entry, ...others] = entries;
  if (entry === undefined || others.length > 0) {
    throw invalid(dir, `index.json names ${entries.length} images, and a release is exactly one`);
  }
  if (entry.mediaType !== INDEX_TYPE)
    throw invalid(dir, `its image is a ${entry.mediaType}, and not an image index`);
  const index = await parseBlob(dir, entry, ImageIndex);
  const read = await Promise.all(index.manifests.map((manifest) => readManifest(dir, manifest)));
  const platforms = read.flatMap(({ image }) => image ?? []);
  const names = platforms.map((image) => image.platform);
  if (names.length === 0) throw invalid(dir, 'its image index names no platform');
  if (new Set(names).size < names.length)
    throw invalid(dir, `its index names a platform twice: ${names.join(', ')}`);
  const blobs = new Map(
    [entry, ...read.flatMap((manifest) => manifest.blobs)].map((blob) => [blob.digest, blob]),
  );
  return { dir, index: entry, annotations: index.annotations ?? {}, platforms, blobs: [...blobs.values()] };
}

async function readManifest(
  dir: string,
  descriptor: Descriptor,
): Promise<{ blobs: Descriptor[]; image?: PlatformImage }> {
  const { platform } = descriptor;
  if (platform === undefined) throw invalid(dir, `manifest ${descriptor.digest} names no platform`);
  const manifest = await parseBlob(dir, descriptor, ImageManifest);
  const blobs = [descriptor, manifest.config, ...manifest.layers];
  // Nothing to run: BuildKit's provenance and SBOMs (BuildKit docs, attestation-storage.md).
  if (platform.os === 'unknown' && platform.architecture === 'unknown') return { blobs };
  const config = await parseBlob(dir, manifest.config, ImageConfig);
  const variant = platform.variant ?? config.variant;
  const [name, configured] = [platformName({ ...platform, variant }), platformName({ variant, ...config })];
  if (name !== configured)
    throw invalid(dir, `the index says ${name} where the image config says ${configured}`);
  const image = {
    platform: name,
    digest: descriptor.digest,
    manifest: descriptor,
    configDigest: manifest.config.digest,
    config,
    layers: manifest.layers,
    annotations: manifest.annotations ?? {},
    size: blobs.reduce((sum, blob) => sum + blob.size, 0),
  };
  return { blobs, image };
}

/** As Docker and containerd name platforms: v8 is the only arm64, so it goes without saying. */
function platformName(of: { os: string; architecture: string; variant?: string | undefined }): string {
  const variant = of.architecture === 'arm64' && of.variant === 'v8' ? undefined : of.variant;
  return [of.os, of.architecture, ...(variant === undefined ? [] : [variant])].join('/');
}

/**
 * Hashes every blob, in a constant amount of memory, and compares it with its descriptor: what was scanned
 * is what is there.
 *
 * @throws ReleaseError LAYOUT_CORRUPT, naming the blobs.
 */
export async function verifyLayout(layout: Layout): Promise<void> {
  const wrong: string[] = [];
  for (const blob of layout.blobs) {
    const problem = await hashFile(layout.dir, blob).catch(unreadable);
    if (problem !== undefined) wrong.push(`${blob.digest}: ${problem}`);
  }
  if (wrong.length > 0) throw corrupt(layout.dir, wrong);
}

/** How much of a blob is read at a time, in bytes: by Node's own 64 kB most of the time goes into asking. */
export const CHUNK = 1024 * 1024;

/** Where a layout keeps a blob. */
export function blobPath(dir: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return join(dir, 'blobs', algorithm, hex);
}

/** Reads a blob of JSON, checked against its digest. @throws ReleaseError LAYOUT_CORRUPT, LAYOUT_INVALID */
export async function parseBlob<T>(dir: string, descriptor: Descriptor, schema: z.ZodType<T>): Promise<T> {
  const bytes = await readFile(blobPath(dir, descriptor.digest)).catch((error: NodeJS.ErrnoException) => {
    throw corrupt(dir, [`${descriptor.digest}: ${unreadable(error)}`]);
  });
  const problem = difference(descriptor, bytes.length, createHash('sha256').update(bytes));
  if (problem !== undefined) throw corrupt(dir, [`${descriptor.digest}: ${problem}`]);
  return parseJson(bytes.toString('utf8'), schema, dir, descriptor.digest);
}

async function hashFile(dir: string, blob: Descriptor): Promise<string | undefined> {
  const hash = createHash('sha256');
  const stream = createReadStream(blobPath(dir, blob.digest), { highWaterMark: CHUNK });
  for await (const chunk of stream) hash.update(chunk);
  return difference(blob, stream.bytesRead, hash);
}

/** How bytes that were read differ from what their descriptor says. */
function difference(descriptor: Descriptor, size: number, hash: Hash): string | undefined {
  const digest = `sha256:${hash.digest('hex')}`;
  if (digest !== descriptor.digest) return `its bytes hash to ${digest}`;
  return size === descriptor.size
    ? undefined
    : `it has ${size} bytes, and its descriptor says ${descriptor.size}`;
}

/** Reads one of the layout's own files. @throws ReleaseError LAYOUT_INVALID */
export async function parseFile<T>(dir: string, name: string, schema: z.ZodType<T>): Promise<T> {
  const text = await readFile(join(dir, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw invalid(dir, `its ${name} is ${unreadable(error)}`);
  });
  return parseJson(text, schema, dir, name);
}

function unreadable(error: NodeJS.ErrnoException): string {
  return error.code === 'ENOENT' ? 'missing' : `unreadable (${error.code ?? error.message})`;
}

function parseJson<T>(text: string, schema: z.ZodType<T>, dir: string, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw invalid(dir, `${what} has not the form of the OCI image spec`, reason.split('\n'));
  }
}

function invalid(dir: string, why: string, details: string[] = []): ReleaseError {
  return new ReleaseError(
    'LAYOUT_INVALID',
    `${dir} is not the OCI layout of a release: ${why}.`,
    'Build it with `thoth-release rehearse` or `dagger call layout export --path DIR`.',
    details,
  );
}

function corrupt(dir: string, blobs: string[]): ReleaseError {
  return new ReleaseError(
    'LAYOUT_CORRUPT',
    `The layout ${dir} changed after it was built.`,
    'Nothing was pushed. Delete it and build the release again.',
    blobs,
  );
}
