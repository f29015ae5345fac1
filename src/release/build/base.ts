import { ReleaseError } from '../errors.ts';
import type { Regctl } from '../registry/regctl.ts';
import { dockerfileImages, type Settings } from '../settings.ts';

/** A network that swallows packets is as good as none. */
const ANSWER_WITHIN_MS = 20_000;

/** The base images of a build, as references; goes into the plan. */
export interface BaseImages {
  readonly node: string;
  readonly runtime: string;
  /** Made here because the real ones could not be reached: a rehearsal, never a release. */
  readonly standIn: boolean;
}

/**
 * Chooses the base images: what the settings name, else the Dockerfile's defaults, else a stand-in.
 *
 * @param standIn assembles the stand-in; called only where a default can't be reached
 * @throws ReleaseError BASE_IMAGE where an image that somebody named can't be had: it is never replaced
 */
export async function chooseBase(
  settings: Pick<Settings, 'nodeImage' | 'runtimeImage' | 'project'>,
  regctl: Regctl,
  standIn: () => Promise<{ node: string; runtime: string }>,
): Promise<BaseImages> {
  const defaults = dockerfileImages(settings.project);
  const wanted = {
    node: settings.nodeImage ?? defaults.node,
    runtime: settings.runtimeImage ?? defaults.runtime,
  };
  const look = async (image: string) => {
    const result = await regctl(['manifest', 'head', image], { timeout: ANSWER_WITHIN_MS });
    return result.exitCode === 0
      ? { image: pinned(image, result.stdout.trim()) }
      : { image, why: result.stderr.trim().split('\n').at(-1) ?? '' };
  };
  const [node, runtime] = await Promise.all([look(wanted.node), look(wanted.runtime)]);
  const unreachable = [node, runtime].filter((found) => found.why !== undefined);
  if (unreachable.length === 0) return { node: node.image, runtime: runtime.image, standIn: false };
  if (settings.nodeImage !== undefined || settings.runtimeImage !== undefined) {
    throw new ReleaseError(
      'BASE_IMAGE',
      `The base image ${unreachable[0]?.image} can not be had.`,
      'Check its name, your network and your login; or leave --node-image and --runtime-image out.',
      unreachable.map((problem) => problem.why ?? ''),
    );
  }
  return { ...(await standIn()), standIn: true };
}

/** By digest, so that the image that is built on is the one that the provenance names. */
function pinned(image: string, digest: string): string {
  return image.includes('@') ? image : `${image}@${digest}`;
}
