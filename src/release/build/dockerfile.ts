import { CONFIG_FILE } from '../config/read.ts';
import { ReleaseError } from '../errors.ts';
import { readDockerfile, type Settings } from '../settings.ts';

/** A base image of a Dockerfile. */
export interface Base {
  /** The ARG that names it. */
  readonly argument: string;
  /** What the Dockerfile has for it. */
  readonly image: string;
  /** Whether a stage on the builder's own platform begins with it, and whether one on the release's platforms does. */
  readonly native: boolean;
  readonly released: boolean;
}

const FROM = /^FROM\s+(?:--platform=(\S+)\s+)?(\S+)(?:\s+AS\s+(\S+))?\s*$/i;
const ARGUMENT = /^ARG\s+(\w+)(?:=(\S*))?\s*$/i;
const REFERENCE = /^\$(?:\{(\w+)\}|(\w+))$/;
const COPY_FROM = /^(?:COPY|ADD)\s.*?--from=(\S+)/i;

/**
 * The base images of the project's Dockerfile. Each must be named by an ARG with a default, so that it can be pinned
 * there, replaced, and told in the provenance.
 *
 * @throws ReleaseError CONFIG_INVALID where there is no Dockerfile, and naming each line that holds an image itself
 */
export async function readBases(settings: Pick<Settings, 'project' | 'build'>): Promise<readonly Base[]> {
  const { dockerfile } = settings.build;
  const text = await readDockerfile(settings);
  if (text === undefined) {
    throw new ReleaseError(
      'CONFIG_INVALID',
      `There is no ${dockerfile} in ${settings.project}.`,
      `Run this in the root of the project; or name another file as build.dockerfile in ${CONFIG_FILE}.`,
    );
  }
  const { bases, faults } = findBases(text);
  if (faults.length === 0) return bases;
  throw new ReleaseError(
    'CONFIG_INVALID',
    `${dockerfile} names an image outside of an ARG.`,
    'Give each image an ARG of its own above the first FROM, with the image as its default.',
    faults,
  );
}

/** The base images of a Dockerfile, in their order, and a line for each image that no ARG names. */
export function findBases(text: string): { bases: Base[]; faults: string[] } {
  const defaults = new Map<string, string>();
  const stages = new Set<string>(['scratch']);
  const bases = new Map<string, Base>();
  const faults: string[] = [];
  let begun = false;
  for (const [number, line] of text
    .split(/\r?\n/)
    .map((raw) => raw.trim())
    .entries()) {
    const [, name = '', value = ''] = ARGUMENT.exec(line) ?? [];
    if (!begun && value !== '') defaults.set(name, value.replaceAll(/["']/g, ''));
    const [, copied] = COPY_FROM.exec(line) ?? [];
    if (copied !== undefined && !stages.has(copied.toLowerCase()) && !/^\d+$/.test(copied))
      faults.push(
        `line ${number + 1}: "${copied}" is no stage: write FROM \${NAME} AS a-name, and copy from that`,
      );
    const [, platform = '', image, stage] = FROM.exec(line) ?? [];
    if (image === undefined) continue;
    begun = true;
    const known = stages.has(image.toLowerCase());
    if (stage !== undefined) stages.add(stage.toLowerCase());
    if (known) continue;
    const [, braced, bare] = REFERENCE.exec(image) ?? [];
    const argument = braced ?? bare;
    const named = argument === undefined ? undefined : defaults.get(argument);
    if (argument === undefined || named === undefined) {
      const example = argument ?? 'BASE_IMAGE';
      const from = argument === undefined ? image : 'an image';
      faults.push(
        `line ${number + 1}: "${line}": write ARG ${example}=${from} on top, and FROM \${${example}}`,
      );
      continue;
    }
    const native = /^\$\{?BUILDPLATFORM\}?$/.test(platform);
    const before = bases.get(argument);
    bases.set(argument, {
      argument,
      image: named,
      native: native || before?.native === true,
      released: !native || before?.released === true,
    });
  }
  return { bases: [...bases.values()], faults };
}
