import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { startEmbedded } from '../../src/release/registry/embedded.ts';
import { type Measured, measure } from '../measure.ts';
import type { Group } from '../results.ts';
import type { Workplace } from './workplace.ts';

const VERSION = 'v1.0.0';
const TAGS = 'v1.0.0,v1.0,v1,latest';
const BOTH = 'linux/amd64,linux/arm64';
/** The recipe's build of a foreign platform is under emulation, and may take minutes. */
const RECIPE_WITHIN_MS = 5 * 60_000;
const SOURCE = 'src/server/version.ts';
/** Locked one patch back: a change of one package, as a Dependabot update is. */
const DEPENDENCY = 'eventsource-parser@3.1.0';

const Built = z.object({
  base: z.object({ images: z.record(z.string(), z.string()), standIn: z.boolean() }),
});
const Summary = z.object({ stages: z.record(z.string(), z.number()) });

/**
 * A whole release, rehearsed, beside the plain recipe for the same image: each time from nothing, with nothing changed,
 * with a line of the service's source changed and with a dependency changed. And where the time of a rehearsal goes.
 */
export async function rehearsals(place: Workplace): Promise<Group[]> {
  const rehearse = (env = {}) => place.thoth(['rehearse', VERSION], { env });
  const rows: { what: string; values: (number | undefined)[] }[] = [];
  let fault: string | undefined;
  const both = async (what: string) => {
    const { seconds } = await rehearse();
    const recipe = fault === undefined ? await runRecipe(place, BOTH) : fault;
    if (typeof recipe === 'string') fault = recipe;
    rows.push({ what, values: [seconds, typeof recipe === 'string' ? undefined : recipe.seconds] });
  };

  await both('From nothing');
  await both('Nothing changed');
  const { stages } = Summary.parse(await place.record(VERSION, 'summary.json'));
  const one = { THOTH_PLATFORMS: 'linux/amd64' };
  await rehearse(one);
  const single = await rehearse(one);
  await changeSource(place);
  await both('A line of the source changed');
  await changeDependency(place);
  await both('A dependency changed');
  rows.splice(2, 0, { what: 'Nothing changed, one platform', values: [single.seconds] });

  const { base } = Built.parse(await place.record(VERSION, 'build.json'));
  return [
    {
      title: 'A release',
      columns: ['thoth-release', 'plain recipe'],
      unit: 's',
      ratioTo: 'row',
      rows,
      notes: [
        'thoth-release builds, starts both platforms, scans them, writes SBOMs, pushes, reads back, signs, moves four tags,' +
          ' verifies and writes notes. The recipe (`bench/release/recipe.sh`) builds both platforms with buildah, arm64 under' +
          ' emulation, and pushes once for each of the same tags.',
        ...(base.standIn
          ? [
              'The base images could not be reached: both built on a stand-in, which thoth-release made in its run from nothing' +
                ' and the recipe was given.',
            ]
          : []),
        ...(fault === undefined ? [] : [`The recipe did not run here: ${fault}`]),
      ],
    },
    {
      title: 'Where the time of a release goes, with nothing changed',
      columns: ['thoth-release'],
      unit: 's',
      ratioTo: 'nothing',
      rows: Object.entries(stages).map(([what, seconds]) => ({ what, values: [seconds] })),
      notes: ['Starts, image policy, scan and SBOM run side by side.'],
    },
  ];
}

/** Runs the recipe on the base images that the rehearsal had. @returns why not, where it failed */
async function runRecipe(place: Workplace, platforms: string): Promise<Measured | string> {
  const { base } = Built.parse(await place.record(VERSION, 'build.json'));
  const registry = await startEmbedded(place.home);
  // The embedded registry is at another port each time.
  const here = (image: string) => (base.standIn ? image.replace(/^[^/]+/, registry.host) : image);
  const authority = process.env.NODE_EXTRA_CA_CERTS;
  const flags = [
    ...Object.entries(base.images).flatMap(([name, image]) => ['--build-arg', `${name}=${here(image)}`]),
    ...(authority === undefined ? [] : ['--secret', `id=extra_ca,src=${authority}`]),
  ];
  try {
    return await measure(
      join(import.meta.dirname, 'recipe.sh'),
      [join(place.dir, 'recipe'), `${registry.host}/recipe`, platforms, TAGS, ...flags, place.project],
      { timeout: RECIPE_WITHIN_MS },
    );
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return text.trim().split('\n').slice(-3).join(' ');
  } finally {
    await registry.stop();
  }
}

async function changeSource(place: Workplace): Promise<void> {
  const path = join(place.project, SOURCE);
  await writeFile(path, `${await readFile(path, 'utf8')}\nexport const CHANGED = ${Date.now()};\n`);
  await place.commit('fix(server): a line more');
}

async function changeDependency(place: Workplace): Promise<void> {
  const npm = [
    'install',
    '--package-lock-only',
    '--ignore-scripts',
    '--save-exact',
    '--no-audit',
    '--no-fund',
  ];
  await execa('npm', [...npm, DEPENDENCY], { cwd: place.project });
  await place.commit('build(server): another version of a dependency');
}
