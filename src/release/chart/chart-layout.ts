import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { digestOf } from '../image/digest.ts';
import { blobPath } from '../image/layout.ts';
import {
  type Descriptor,
  Digest,
  ImageIndex,
  ImageManifest,
  INDEX_TYPE,
  MANIFEST_TYPE,
} from '../image/oci.ts';
import { diskError, writeWhole } from '../machine/file.ts';

/** Media types of a chart in a registry (helm.sh, "Use OCI-based registries"). */
const CONFIG_TYPE = 'application/vnd.cncf.helm.config.v1+json';
export const CONTENT_TYPE = 'application/vnd.cncf.helm.chart.content.v1.tar+gzip';

/** What `Chart.yaml` says, as far as it is read here. */
const Metadata = z.looseObject({ name: z.string(), version: z.string(), appVersion: z.string().optional() });
export type Metadata = z.infer<typeof Metadata>;

/** A packed chart as a registry has it. It is small, and all of it is in memory. */
export interface Chart {
  readonly metadata: Metadata;
  /** Of its manifest: what a tag points to, and what is signed. */
  readonly digest: string;
  /** The chart itself, a `.tgz`. */
  readonly archive: Buffer;
  /** Manifest, config and archive by their digests. */
  readonly blobs: ReadonlyMap<string, Buffer>;
}

/** Makes the OCI artifact of a packed chart. */
export function chartArtifact(
  metadata: Metadata,
  archive: Buffer,
  annotations: Readonly<Record<string, string>>,
): Chart {
  const config = Buffer.from(JSON.stringify(metadata));
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: describe(CONFIG_TYPE, config),
      layers: [describe(CONTENT_TYPE, archive)],
      annotations,
    }),
  );
  const blobs = new Map([manifest, config, archive].map((bytes) => [digestOf(bytes), bytes]));
  return { metadata, digest: digestOf(manifest), archive, blobs };
}

/**
 * Writes a chart into an OCI layout of its own, in place of what was there; `index.json` comes last.
 *
 * @throws ReleaseError DISK
 */
export async function writeChart(chart: Chart, dir: string): Promise<void> {
  const manifest = chart.blobs.get(chart.digest) ?? Buffer.alloc(0);
  const annotations = { 'org.opencontainers.image.ref.name': chart.metadata.version };
  const manifests = [{ ...describe(MANIFEST_TYPE, manifest), annotations }];
  try {
    await rm(dir, { recursive: true, force: true });
    for (const [digest, bytes] of chart.blobs) {
      const path = blobPath(dir, digest);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
  } catch (error) {
    throw diskError(error) ?? error;
  }
  await writeWhole(join(dir, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeWhole(
    join(dir, 'index.json'),
    JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests }),
  );
}

/**
 * Reads the chart of an OCI layout, each byte against its digest.
 *
 * @throws ReleaseError CHART_INVALID where there is none, or anything else than a chart
 */
export async function readChart(dir: string): Promise<Chart> {
  const blobs = new Map<string, Buffer>();
  const blob = async (digest: string) => {
    const bytes = await readFile(blobPath(dir, Digest.parse(digest)));
    if (digestOf(bytes) !== digest) throw new Error(`the bytes of ${digest} hash to ${digestOf(bytes)}`);
    blobs.set(digest, bytes);
    return bytes;
  };
  try {
    const { manifests } = ImageIndex.parse(JSON.parse(await readFile(join(dir, 'index.json'), 'utf8')));
    const [entry, ...others] = manifests;
    if (entry === undefined || others.length > 0) throw new Error(`it names ${manifests.length} charts`);
    const { config, layers } = ImageManifest.parse(JSON.parse((await blob(entry.digest)).toString()));
    const [content] = layers;
    if (config.mediaType !== CONFIG_TYPE || content?.mediaType !== CONTENT_TYPE)
      throw new Error(`its config is a ${config.mediaType}, and its content a ${content?.mediaType}`);
    const metadata = Metadata.parse(JSON.parse((await blob(config.digest)).toString()));
    return { metadata, digest: entry.digest, archive: await blob(content.digest), blobs };
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : String(cause);
    throw new ReleaseError(
      'CHART_INVALID',
      `${dir} holds no Helm chart of a release.`,
      'Plan the release again: that packs its chart.',
      why.split('\n'),
      cause,
    );
  }
}

function describe(mediaType: string, bytes: Buffer): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}
