import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fillAll } from '../config/words.ts';
import { ReleaseError } from '../errors.ts';
import { type Layout, readLayout } from '../image/layout.ts';
import { tail } from '../machine/command.ts';
import type { Regctl } from '../registry/regctl.ts';
import type { Settings } from '../settings.ts';
import type { Version } from '../versions/version.ts';
import type { BaseImages } from './base.ts';
import type { Builder } from './builder/builder.ts';

/** The commit a release is built from. */
export interface BuildSource {
  readonly revision: string;
  /** Unix seconds; becomes SOURCE_DATE_EPOCH. */
  readonly time: number;
}

/**
 * The Dockerfile's build arguments: base images, npm's mirror, and what the project's file says of the release.
 *
 * @param version a build that is no release has none, and is `0.0.0-dev`
 */
export function buildArguments(
  { build, npmRegistry }: Pick<Settings, 'build' | 'npmRegistry'>,
  version: Version | undefined,
  { revision, time }: BuildSource,
  images: Readonly<Record<string, string>>,
): Record<string, string> {
  const words = {
    tag: version?.tag ?? 'v0.0.0-dev',
    version: version?.version ?? '0.0.0-dev',
    revision,
    created: new Date(time * 1_000).toISOString().replace('.000Z', 'Z'),
  };
  return {
    ...images,
    ...(npmRegistry === undefined ? {} : { NPM_CONFIG_REGISTRY: npmRegistry }),
    ...fillAll(build.args, words),
  };
}

/** Builds every platform of the Dockerfile into the release's layout at `output`. */
export async function buildLayout(
  request: {
    settings: Settings;
    version: Version;
    source: BuildSource;
    base: BaseImages;
    staging: string;
    output: string;
    noCache?: boolean;
  },
  tools: { builder: Builder; regctl: Regctl },
  options: { say(line: string): void; signal?: AbortSignal | undefined },
): Promise<Layout> {
  const { settings, version, source, base } = request;
  const built = await tools.builder.build(
    {
      context: join(settings.project, settings.build.context),
      dockerfile: join(settings.project, settings.build.dockerfile),
      platforms: settings.platforms,
      args: buildArguments(settings, version, source, base.images),
      secrets: settings.extraCa === undefined ? {} : { extra_ca: settings.extraCa },
      epoch: source.time,
      staging: request.staging,
      ...(request.noCache === undefined ? {} : { noCache: request.noCache }),
    },
    options,
  );
  return finishLayout(built.reference, request.output, tools.regctl);
}

/**
 * Copies an image index, by whatever engine it was built, into the layout a release is made of: OCI media
 * types, and every label also an annotation of the manifests and of the index.
 *
 * @param reference what regctl reads: `host:port/name:tag`, `ocidir://DIR:tag`, `ocidir://DIR@sha256:…`
 * @param output made new; an earlier one is replaced only when the new one is whole
 * @throws ReleaseError BUILD_FAILED with what regctl said
 */
export async function finishLayout(reference: string, output: string, regctl: Regctl): Promise<Layout> {
  const partial = `${output}.partial`;
  await rm(partial, { recursive: true, force: true });
  await mkdir(dirname(output), { recursive: true });
  const result = await regctl([
    ...['image', 'mod', reference, '--create', `ocidir://${partial}:release`],
    ...['--to-oci', '--label-to-annotation', '--annotation-promote'],
  ]);
  if (result.exitCode !== 0) {
    await rm(partial, { recursive: true, force: true });
    throw new ReleaseError(
      'BUILD_FAILED',
      `The built image could not be written to ${output}.`,
      'Free some disk or check its permissions, and run it again.',
      tail(result),
    );
  }
  await rm(output, { recursive: true, force: true });
  await rename(partial, output);
  return readLayout(output);
}
