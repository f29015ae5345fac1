import { lookup } from 'node:dns/promises';
import { ReleaseError } from '../errors.ts';
import type { Regctl } from '../registry/regctl.ts';
import type { Settings } from '../settings.ts';
import { type Base, readBases } from './dockerfile.ts';

/** A network that swallows packets is as good as none. */
const ANSWER_WITHIN_MS = 20_000;

/** The base images of a build; goes into the plan. */
export interface BaseImages {
  /** References by the ARG of the Dockerfile that names each. */
  readonly images: Readonly<Record<string, string>>;
  /** Made here because the real ones could not be reached: a rehearsal, never a release. */
  readonly standIn: boolean;
}

/**
 * Chooses the base images: what the settings name, else the Dockerfile's defaults, else stand-ins.
 *
 * @param standIns assembles the stand-ins; called only where a default can't be reached
 * @param nowhere whether the name of an image's registry does not exist: then it is not asked for, again and again
 * @throws ReleaseError BASE_IMAGE where an image that somebody named can't be had: it is never replaced; CONFIG_INVALID
 */
export async function chooseBase(
  settings: Pick<Settings, 'baseImages' | 'build' | 'project'>,
  regctl: Regctl,
  standIns: (bases: readonly Base[]) => Promise<Readonly<Record<string, string>>>,
  nowhere: (host: string) => Promise<boolean> = isNowhere,
): Promise<BaseImages> {
  const bases = await readBases(settings);
  const wanted = wantedImages(settings, bases);
  const found = await Promise.all(
    Object.entries(wanted).map(async ([argument, image]) => ({
      argument,
      image,
      ...(await look(regctl, image, nowhere)),
    })),
  );
  const images = Object.fromEntries(
    found.map(({ argument, image, digest }) => [argument, pinned(image, digest)]),
  );
  const unreachable = found.filter(({ digest }) => digest === undefined);
  if (unreachable.length === 0) return { images, standIn: false };
  const described = bases.filter(({ argument }) => settings.build.standIns[argument] !== undefined);
  const replaceable = (argument: string) => described.some((base) => base.argument === argument);
  const named = bases.some(({ argument }) => settings.baseImages[argument] !== undefined);
  if (named || !unreachable.every(({ argument }) => replaceable(argument))) {
    throw new ReleaseError(
      'BASE_IMAGE',
      `The base image ${unreachable[0]?.image} can not be had.`,
      named
        ? 'Check its name, your network and your login; or leave --base-images and its variable out.'
        : 'Check its name, your network and your login. To rehearse without it, describe its stand-in (build.standIns).',
      unreachable.map(({ why = '' }) => why),
    );
  }
  return { images: { ...images, ...(await standIns(described)) }, standIn: true };
}

/** The images that the settings and the Dockerfile name, by ARG, whether they can be reached or not. */
export function wantedImages(
  { baseImages }: Pick<Settings, 'baseImages'>,
  bases: readonly Base[],
): Readonly<Record<string, string>> {
  return Object.fromEntries(bases.map(({ argument, image }) => [argument, baseImages[argument] ?? image]));
}

async function look(
  regctl: Regctl,
  image: string,
  nowhere: (host: string) => Promise<boolean>,
): Promise<{ digest?: string; why?: string }> {
  const host = hostOf(image);
  if (await nowhere(host)) return { why: `${host}: no such host` };
  const result = await regctl(['manifest', 'head', image], { timeout: ANSWER_WITHIN_MS });
  return result.exitCode === 0
    ? { digest: result.stdout.trim() }
    : { why: result.stderr.trim().split('\n').at(-1) ?? '' };
}

/** The name of the machine that an image is pulled from; Docker Hub's, where the reference names none. */
function hostOf(image: string): string {
  const [first = '', ...rest] = image.split('/');
  const named = rest.length > 0 && /[.:]|^localhost$/.test(first) && first !== 'docker.io';
  return named ? first.replace(/:\d+$/, '') : 'registry-1.docker.io';
}

/** A proxy may know names that this machine does not, and a failure of the lookup itself says nothing. */
async function isNowhere(host: string): Promise<boolean> {
  const proxied = Object.entries(process.env).some(([name, value]) => /^https?_proxy$/i.test(name) && value);
  if (proxied) return false;
  return lookup(host).then(
    () => false,
    (error: NodeJS.ErrnoException) => error.code === 'ENOTFOUND',
  );
}

/** By digest, so that the image that is built on is the one that the provenance names. */
function pinned(image: string, digest: string | undefined): string {
  return image.includes('@') || digest === undefined ? image : `${image}@${digest}`;
}
