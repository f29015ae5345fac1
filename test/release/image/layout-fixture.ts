import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Descriptor } from '../../../src/release/image/oci.ts';
import { type TarFiles, tar } from './tar.ts';

/** Media types of the OCI image spec. */
export const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** What a layout is made of; what is left out keeps every rule of the image policy. */
export interface LayoutOptions {
  /** Goes into the labels, without `v`. */
  readonly version?: string;
  /** `linux/amd64`, or with a variant `linux/arm/v7`, in the order of the index. */
  readonly platforms?: readonly string[];
  /** Over the labels that the policy asks for, and into the annotations too; `undefined` takes one away. */
  readonly labels?: Readonly<Record<string, string | undefined>>;
  /** Over the fields of the image config's `config` object, as `User`, `Env`, `Healthcheck`. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** One layer each: paths without a leading slash to their contents. The first holds the program besides. */
  readonly layers?: readonly TarFiles[];
  /** Over all of that, for one platform. */
  readonly byPlatform?: Readonly<Record<string, Pick<LayoutOptions, 'layers' | 'config'>>>;
}

/** What ENTRYPOINT and HEALTHCHECK run. */
const PROGRAM: TarFiles = { 'usr/local/bin/thoth': { content: '#!/nodejs/bin/node\n', mode: 0o755 } };

const CREATED = '2026-01-02T03:04:05Z';

/** Writes a layout with one image index. The same options give the same bytes. */
export async function writeLayout(dir: string, options: LayoutOptions = {}): Promise<Descriptor> {
  const labels = definedOf({ ...labelsOf(options.version ?? '1.0.0'), ...options.labels });
  const manifests: Descriptor[] = [];
  for (const platform of options.platforms ?? ['linux/amd64', 'linux/arm64']) {
    const own = options.byPlatform?.[platform];
    manifests.push(await writePlatform(dir, platform, labels, { ...options, ...own }));
  }
  const index = { schemaVersion: 2, mediaType: MEDIA.index, manifests, annotations: labels };
  const entry = await putJson(dir, MEDIA.index, index);
  return writeIndex(dir, [{ ...entry, annotations: { 'org.opencontainers.image.ref.name': 'release' } }]);
}

/** Makes `dir` a layout whose `index.json` names `entries`. @returns the first of them */
export async function writeIndex(dir: string, entries: readonly [Descriptor, ...Descriptor[]]) {
  const root = { schemaVersion: 2, mediaType: MEDIA.index, manifests: entries };
  await writeFile(join(dir, 'index.json'), JSON.stringify(root));
  await writeFile(join(dir, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  return entries[0];
}

/** Stores bytes as a blob. */
export async function putBlob(dir: string, mediaType: string, bytes: Buffer): Promise<Descriptor> {
  const hex = createHash('sha256').update(bytes).digest('hex');
  await mkdir(join(dir, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(dir, 'blobs', 'sha256', hex), bytes);
  return { mediaType, digest: `sha256:${hex}`, size: bytes.length };
}

/** Stores an object as a blob of JSON. */
export function putJson(dir: string, mediaType: string, value: unknown): Promise<Descriptor> {
  return putBlob(dir, mediaType, Buffer.from(JSON.stringify(value)));
}

/** The labels that the image policy asks for. */
export function labelsOf(version: string): Record<string, string> {
  const labels = {
    title: 'Thoth',
    description: 'A fixture.',
    url: 'https://example.test/thoth',
    source: 'https://example.test/thoth.git',
    version,
    created: CREATED,
    revision: '0123456789abcdef0123456789abcdef01234567',
    licenses: 'MIT',
  };
  return Object.fromEntries(
    Object.entries(labels).map(([name, value]) => [`org.opencontainers.image.${name}`, value]),
  );
}

async function writePlatform(
  dir: string,
  name: string,
  labels: Record<string, string>,
  options: LayoutOptions,
): Promise<Descriptor> {
  const [os = '', architecture = '', variant] = name.split('/');
  const platform = { os, architecture, ...(variant === undefined ? {} : { variant }) };
  const [first, ...more] = options.layers ?? [{ 'etc/fixture': 'a file\n' }];
  const archives = [{ ...PROGRAM, ...first }, ...more].map(tar);
  const layers: Descriptor[] = [];
  for (const archive of archives) layers.push(await putBlob(dir, MEDIA.layer, gzipSync(archive)));
  const config = await putJson(dir, MEDIA.config, {
    created: CREATED,
    ...platform,
    config: { ...configOf(labels), ...options.config },
    rootfs: { type: 'layers', diff_ids: archives.map(sha256) },
    history: archives.map((_, n) => ({ created: CREATED, created_by: `COPY layer-${n} /` })),
  });
  const manifest = { schemaVersion: 2, mediaType: MEDIA.manifest, config, layers, annotations: labels };
  return { ...(await putJson(dir, MEDIA.manifest, manifest)), platform };
}

/** Durations are nanoseconds. */
function configOf(labels: Record<string, string>): Record<string, unknown> {
  return {
    User: '65532:65532',
    Env: ['PATH=/usr/local/bin:/usr/bin:/bin', 'NODE_ENV=production'],
    Entrypoint: ['/usr/local/bin/thoth'],
    Cmd: ['serve'],
    WorkingDir: '/app',
    ExposedPorts: { '8000/tcp': {} },
    Labels: labels,
    Healthcheck: {
      Test: ['CMD', '/usr/local/bin/thoth', 'healthcheck'],
      Interval: 30e9,
      Timeout: 3e9,
      StartPeriod: 60e9,
      Retries: 3,
    },
  };
}

function definedOf(record: Record<string, string | undefined>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function sha256(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
