import { ReleaseError } from '../../errors.ts';
import { findDocker, requireDocker } from '../../machine/docker.ts';
import { findTool, requireTool } from '../../machine/tools.ts';
import type { Regctl } from '../../registry/regctl.ts';
import type { Settings } from '../../settings.ts';
import { createBuildahRunner } from './buildah.ts';
import { createDockerRunner } from './docker.ts';
import type { Runner } from './runner.ts';

/**
 * Picks what starts the image. `auto` is Docker where a daemon answers: it is what people run the image
 * with; else buildah, which needs no daemon.
 *
 * @throws ReleaseError TOOL_MISSING where the one that was named is not there; NO_RUNNER where there is none
 */
export async function chooseRunner(
  settings: Pick<Settings, 'runner' | 'home'>,
  regctl: Regctl,
  signal?: AbortSignal,
): Promise<Runner> {
  const { home, runner } = settings;
  if (runner === 'buildah') return createBuildahRunner(await requireTool('buildah', home), home);
  const docker = runner === 'docker' ? await requireDocker(home, signal) : await findDocker(home, signal);
  if (docker !== undefined) return createDockerRunner(docker.program, home, regctl, docker.version);
  const buildah = await findTool('buildah', home);
  if (buildah !== undefined) return createBuildahRunner(buildah, home);
  throw new ReleaseError(
    'NO_RUNNER',
    'There is nothing here to start images with.',
    'Start Docker (https://docs.docker.com/engine/install/), or install buildah: `make tools`.',
    ['no Docker daemon answers', 'there is no buildah'],
  );
}
