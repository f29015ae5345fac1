import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { ReleaseError } from './errors.ts';

/** `sha256:` and 64 hex digits (OCI image spec, descriptor: digests). */
export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'not a sha256 digest');

const Annotations = z.record(z.string(), z.string());

const Descriptor = z.object({
  mediaType: z.string(),
  digest: Digest,
  size: z.int().nonnegative(),
  platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).optional(),
  annotations: Annotations.optional(),
});
export type Descriptor = z.infer<typeof Descriptor>;

const Index = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(Descriptor),
  annotations: Annotations.optional(),
});

const Manifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: Descriptor,
  layers: z.array(Descriptor),
  annotations: Annotations.optional(),
});

const Config = z.object({
  architecture: z.string(),
  os: z.string(),
  created: z.string().optional(),
  config: z
    .object({
      User: z.string().optional(),
      Env: z.array(z.string()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      WorkingDir: z.string().optional(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      /** Durations are nanoseconds (Docker image spec v1.2). */
      Healthcheck: z
        .object({
          Test: z.array(z.string()),
          Interval: z.number().optional(),
          Timeout: z.number().optional(),
          StartPeriod: z.number().optional(),
        })
        .nullish(),
    })
    .default({}),
  rootfs: z.object({ diff_ids: z.array(Digest) }),
  history: z
    .array(z.object({ created_by: z.string().optional(), empty_layer: z.boolean().optional() }))
    .default([]),
});
export type ImageConfig = z.infer<typeof Config>;

/** One platform's image as the layout holds it. Sizes are bytes, compressed. */
export interface PlatformImage {
  /** `linux/amd64`, `linux/arm64`. */
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
  readonly platforms: readonly PlatformImage[];
}

/**
 * Reads the image index of a layout and every platform under it, checking each blob that is parsed
 * against its digest. Layers are not read; {@link verifyLayout} does.
 *
 * @throws ReleaseError LAYOUT_INVALID where `dir` is no layout with exactly one image index,
 *   LAYOUT_CORRUPT where a blob is missing or isn't what its digest says.
 */
export async function readLayout(dir: string): Promise<Layout> {
  const root = await parseFile(join(dir, 'index.json'), Index, dir);
  const [entry, ...others] = root.manifests;
  if (entry === undefined || others.length > 0) {
    throw invalid(dir, `index.json names ${root.manifests.length} images, and a release is exactly one`);
  }
  const index = await parseBlob(dir, entry, Index);
  if (index.manifests.length === 0) throw invalid(dir, 'its image index is empty');
  const platforms = await Promise.all(index.manifests.map((manifest) => readPlatform(dir, manifest)));
  return { dir, index: entry, annotations: index.annotations ?? {}, platforms };
}

async function readPlatform(dir: string, descriptor: Descriptor): Promise<PlatformImage> {
  const { platform } = descriptor;
  if (platform === undefined) throw invalid(dir, `manifest ${descriptor.digest} names no platform`);
  const manifest = await parseBlob(dir, descriptor, Manifest);
  const config = await parseBlob(dir, manifest.config, Config);
  const name = [platform.os, platform.architecture].join('/');
  if (config.architecture !== platform.architecture || config.os !== platform.os) {
    throw invalid(
      dir,
      `the index says ${name} where the image config says ${config.os}/${config.architecture}`,
    );
  }
  const size = [descriptor, manifest.config, ...manifest.layers].reduce((sum, blob) => sum + blob.size, 0);
  return {
    platform: name,
    digest: descriptor.digest,
    manifest: descriptor,
    configDigest: manifest.config.digest,
    config,
    layers: manifest.layers,
    annotations: manifest.annotations ?? {},
    size,
  };
}

/** Every blob of a layout once: index, manifests, configs, layers. */
export function blobsOf(layout: Layout): Descriptor[] {
  const blobs = new Map<string, Descriptor>([[layout.index.digest, layout.index]]);
  for (const image of layout.platforms) {
    blobs.set(image.digest, image.manifest);
    blobs.set(image.configDigest, { mediaType: '', digest: image.configDigest, size: -1 });
    for (const layer of image.layers) blobs.set(layer.digest, layer);
  }
  return [...blobs.values()];
}

/**
 * Hashes every blob, in a constant amount of memory, and compares it with its digest: what was scanned is
 * what is there.
 *
 * @throws ReleaseError LAYOUT_CORRUPT, naming the blobs.
 */
export async function verifyLayout(layout: Layout): Promise<void> {
  const wrong: string[] = [];
  for (const { digest } of blobsOf(layout)) {
    const path = blobPath(layout.dir, digest);
    const hash = createHash('sha256');
    try {
      await pipeline(createReadStream(path), hash);
    } catch (error) {
      wrong.push(`${digest}: ${(error as NodeJS.ErrnoException).code ?? 'unreadable'}`);
      continue;
    }
    const actual = `sha256:${hash.digest('hex')}`;
    if (actual !== digest) wrong.push(`${digest}: its bytes hash to ${actual}`);
  }
  if (wrong.length > 0) throw corrupt(layout.dir, wrong);
}

/** Where a layout keeps a blob. */
export function blobPath(dir: string, digest: string): string {
  const [algorithm = '', hex = ''] = digest.split(':');
  return join(dir, 'blobs', algorithm, hex);
}

async function parseBlob<T>(dir: string, descriptor: Descriptor, schema: z.ZodType<T>): Promise<T> {
  const path = blobPath(dir, descriptor.digest);
  const bytes = await readFile(path).catch(() => {
    throw corrupt(dir, [`${descriptor.digest}: missing`]);
  });
  const actual = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  if (actual !== descriptor.digest) throw corrupt(dir, [`${descriptor.digest}: its bytes hash to ${actual}`]);
  return parseJson(bytes.toString('utf8'), schema, dir, descriptor.digest);
}

async function parseFile<T>(path: string, schema: z.ZodType<T>, dir: string): Promise<T> {
  const exists = await stat(path).catch(() => undefined);
  if (exists === undefined) throw invalid(dir, 'there is no index.json in it');
  return parseJson(await readFile(path, 'utf8'), schema, dir, 'index.json');
}

function parseJson<T>(text: string, schema: z.ZodType<T>, dir: string, what: string): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw invalid(dir, `${what} can't be read: ${reason}`);
  }
}

function invalid(dir: string, why: string): ReleaseError {
  return new ReleaseError(
    'LAYOUT_INVALID',
    `${dir} is not the OCI layout of a release: ${why}.`,
    'Build it with `thoth-release rehearse` or `dagger call layout export --path DIR`.',
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
