import { z } from 'zod';

/** `sha256:` and 64 hex digits (OCI image spec, descriptor: digests). */
export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/, 'not a sha256 digest');

/** Media type of an image index (OCI image spec, media-types.md). */
export const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';
/** Media type of an image manifest; an artifact, such as a chart, has one too. */
export const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

/** The commit an image was built from (OCI image spec, annotations.md); a label, and promoted to the index. */
export const REVISION_ANNOTATION = 'org.opencontainers.image.revision';

const Annotations = z.record(z.string(), z.string());

export const Descriptor = z.object({
  mediaType: z.string(),
  digest: Digest,
  size: z.int().nonnegative(),
  platform: z.object({ os: z.string(), architecture: z.string(), variant: z.string().optional() }).optional(),
  annotations: Annotations.optional(),
});
export type Descriptor = z.infer<typeof Descriptor>;

export const ImageIndex = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  manifests: z.array(Descriptor),
  annotations: Annotations.optional(),
});

export const ImageManifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: Descriptor,
  layers: z.array(Descriptor),
  annotations: Annotations.optional(),
});

/** The file `oci-layout` (OCI image spec, image-layout.md). */
export const LayoutFile = z.object({ imageLayoutVersion: z.literal('1.0.0') });

export const ImageConfig = z.object({
  architecture: z.string(),
  os: z.string(),
  variant: z.string().optional(),
  created: z.string().optional(),
  config: z
    .looseObject({
      User: z.string().optional(),
      Env: z.array(z.string()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      WorkingDir: z.string().optional(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      /** Durations are nanoseconds (Docker image spec v1.2). */
      Healthcheck: z
        .looseObject({
          Test: z.array(z.string()).nullish(),
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
export type ImageConfig = z.infer<typeof ImageConfig>;
