import { ReleaseError } from '../../errors.ts';
import { findDocker, requireDocker } from '../../machine/docker.ts';
import { findTool, requireTool } from '../../machine/tools.ts';
import type { Regctl } from '../../registry/regctl.ts';
import type { Settings } from '../../settings.ts';
import { createBuildah } from './buildah.ts';
import type { Builder } from './builder.ts';
import { createBuildx, findBuildx, noBuildx } from './buildx.ts';

/**
 * Picks the build engine. `auto` is Docker's buildx where a daemon answers, since that is what people have
 * and build with by hand; else buildah, which needs no daemon.
 *
 * @param regctl must speak plain HTTP to the embedded registry
 * @throws ReleaseError TOOL_MISSING where the one that was named is not there; NO_BUILDER where there is none
 */
export async function chooseBuilder(
  settings: Pick<Settings, 'builder' | 'buildxBuilder' | 'home'>,
  regctl: Regctl,
  signal?: AbortSignal,
): Promise<Builder> {
  const { home, builder, buildxBuilder } = settings;
  if (builder === 'buildah') return createBuildah(await requireTool('buildah', home), home, regctl);
  const docker = builder === 'buildx' ? await requireDocker(home, signal) : await findDocker(home, signal);
  const buildx = docker === undefined ? undefined : await findBuildx(docker.program, signal);
  const buildah = builder === 'buildx' ? undefined : await findTool('buildah', home);
  if (docker !== undefined && buildx !== undefined) {
    try {
      return await createBuildx(docker.program, buildx, home, regctl, buildxBuilder, signal);
    } catch (error) {
      if (buildah === undefined || buildxBuilder !== undefined || !isNoBuilder(error)) throw error;
    }
  }
  if (builder === 'buildx') throw noBuildx();
  if (buildah !== undefined) return createBuildah(buildah, home, regctl);
  throw new ReleaseError(
    'NO_BUILDER',
    'There is nothing here to build images with.',
    'Start Docker with buildx (https://docs.docker.com/engine/install/), or install buildah: `make tools`.',
    [docker === undefined ? 'no Docker daemon answers' : 'Docker has no buildx', 'there is no buildah'],
  );
}

function isNoBuilder(error: unknown): boolean {
  return error instanceof ReleaseError && error.code === 'NO_BUILDER';
}
