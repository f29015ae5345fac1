import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { sha256 } from '../../image/digest.ts';
import { readIfThere, writeWhole } from '../../machine/file.ts';
import {
  type Format,
  type Looked,
  type Trivy,
  type TrivyBuild,
  trivyConvert,
  trivyDockerfile,
} from './trivy.ts';

/** Some ten a release: of this one, of the one before it, and as many again. */
const KEPT = 40;

/**
 * {@link trivyConvert} and {@link trivyDockerfile}, which no database and no image has a say in: the same program makes
 * the same of the same input. So it is made once, and kept by all that it follows from.
 */
export function convert(
  trivy: Trivy,
  build: TrivyBuild,
  report: string,
  format: Format,
  looked: Looked = 'not-checked',
): Promise<string> {
  return kept(trivy, build, ['convert', format, looked, report], () =>
    trivyConvert(trivy, report, format, looked),
  );
}

export function dockerfileReport(trivy: Trivy, build: TrivyBuild, text: string): Promise<string> {
  return kept(trivy, build, ['dockerfile', text], () => trivyDockerfile(trivy, text));
}

async function kept(
  trivy: Trivy,
  { build }: TrivyBuild,
  input: readonly string[],
  make: () => Promise<string>,
): Promise<string> {
  const folder = join(trivy.cache, 'outputs');
  const path = join(folder, sha256(JSON.stringify([build, ...input])));
  const known = await readIfThere(path);
  if (known !== undefined) return known.toString();
  const made = await make();
  await writeWhole(path, made);
  await keepNewest(folder, KEPT);
  return made;
}

/** Removes all whole files of a folder but the newest; another process may be at it, too. */
export async function keepNewest(folder: string, count: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => !name.endsWith('.partial'));
  const aged = await Promise.all(
    names.map(async (name) => ({
      path: join(folder, name),
      time: await stat(join(folder, name)).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      ),
    })),
  );
  const old = aged.sort((a, b) => b.time - a.time).slice(count);
  await Promise.all(old.map(({ path }) => rm(path, { force: true })));
}
