import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { plot } from './plot.ts';
import { type Group, groupText } from './results.ts';

const PROJECT = resolve(import.meta.dirname, '..');
const FOLDER = join(PROJECT, 'docs/bench');

/** Installs the packages of tools/bench below a folder. @returns their `node_modules` */
export async function installPackages(folder: string): Promise<string> {
  const place = join(folder, 'packages');
  await mkdir(place);
  for (const name of ['package.json', 'package-lock.json'])
    await cp(join(PROJECT, 'tools/bench', name), join(place, name));
  const npm = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];
  await execa('npm', npm, { cwd: place });
  return join(place, 'node_modules');
}

/**
 * Writes what was measured to docs/bench: NAME.md with the tables, and name.svg with the same figures as bars.
 *
 * @param packages what `installPackages` gave
 */
export async function writePage(
  name: string,
  page: { title: string; machine: string; groups: readonly Group[]; by?: string },
  packages: string,
): Promise<void> {
  const head = [
    `# ${page.title}`,
    '',
    `Written by \`${page.by ?? 'make bench'}\` on ${page.machine}.`,
    '',
    ...(page.groups.every(({ ratioTo }) => ratioTo === 'nothing')
      ? []
      : [
          'A figure in brackets is the ratio to the first one of its row, or of its column, in the same run.',
          '',
        ]),
    `![The figures below as bars](${name}.svg)`,
    '',
    '',
  ].join('\n');
  const tables = page.groups.map(groupText).join('\n');
  await mkdir(FOLDER, { recursive: true });
  await writeFile(join(FOLDER, `${name}.svg`), await plot(page.groups, packages));
  await writeFile(join(FOLDER, `${name.toUpperCase()}.md`), `${(head + tables).trimEnd()}\n`);
}
