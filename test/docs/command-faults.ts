import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { COMMANDS as RELEASE } from '../../src/release/commands/catalogue.ts';
import { COMMANDS as SERVICE } from '../../src/server/commands/catalogue.ts';
import { SETTING_NAMES } from '../../src/server/settings/schema.ts';
import { catalogueFaults } from '../catalogue-faults.ts';
import type { CommandLine } from './command-line.ts';
import { ROOT } from './document.ts';

/** What `thoth-release` adds to each of its commands. */
const RELEASE_COMMON = ['--home <dir>'];
/** Scripts of others that a document has people fetch. */
const OTHERS = new Set(['get-docker.sh']);
const IMAGE = /\/thoth(:[\w.-]+|@\S+)?$|^\$\{?(THOTH_)?IMAGE\}?$/;

const scripts = z
  .object({ scripts: z.record(z.string(), z.string()) })
  .parse(JSON.parse(read('package.json'))).scripts;
const values: unknown = parse(read('deploy/helm/thoth/values.yaml'));
const targets = [...read('Makefile').matchAll(/^([a-z][a-z-]*):/gm)].map(([, name]) => name);

/**
 * What of a command is none of the project's, though it is written as if it were; empty for programs of others.
 *
 * @param files all that is in the repository
 */
export function commandFaults(line: CommandLine, files: readonly string[]): string[] {
  const [program = '', ...words] = line[0] === 'sudo' ? line.slice(1) : line;
  if (program === 'thoth') return service(words);
  if (program === 'thoth-release') return catalogueFaults(RELEASE, words, RELEASE_COMMON);
  if (program === 'make') return makeFaults(words);
  if (program === 'npm') return npmFaults(words);
  if (program === 'node') return nodeFaults(words, files);
  if (program === 'helm') return helmFaults(words);
  if (program === 'docker' || program === 'kubectl') return containerFaults(words);
  const script = program === 'sh' ? words.shift() : program;
  return script?.endsWith('.sh') && !OTHERS.has(script) ? scriptFaults(script, words, files) : [];
}

function service(words: readonly string[]): string[] {
  return words.length === 0 ? [] : catalogueFaults(SERVICE, words);
}

function makeFaults(words: readonly string[]): string[] {
  return words
    .filter((word) => !word.includes('=') && !word.startsWith('-') && !targets.includes(word))
    .map((word) => `make has no target ${word}`);
}

function npmFaults(words: readonly string[]): string[] {
  const [verb, ...rest] = words.filter((word) => word !== '-s' && word !== '--silent');
  if (verb !== 'run') return [];
  const [name = '', dashes, ...given] = rest;
  if (!Object.hasOwn(scripts, name)) return [`package.json has no script ${name}`];
  return name === 'release' && dashes === '--' ? catalogueFaults(RELEASE, given, RELEASE_COMMON) : [];
}

function nodeFaults(words: readonly string[], files: readonly string[]): string[] {
  const file = words.find((word) => /\.(ts|mjs)$/.test(word));
  return file === undefined || file.startsWith('dist/') || files.includes(file)
    ? []
    : [`there is no ${file}`];
}

/** What a container is told to run: after the image or Compose's service, or after the program's name within it. */
function containerFaults(words: readonly string[]): string[] {
  const verb = words.find((word) => word === 'run' || word === 'exec');
  if (verb === undefined) return [];
  const rest = words.slice(words.indexOf(verb) + 1);
  const place = placeOf(verb, words.includes('compose'), rest);
  return place < 0 ? [] : service(rest.slice(place + 1));
}

function placeOf(verb: string, isCompose: boolean, words: readonly string[]): number {
  if (verb === 'exec') return words.findLastIndex((word) => /^(\/usr\/local\/bin\/)?thoth$/.test(word));
  return isCompose ? words.indexOf('thoth') : words.findIndex((word) => IMAGE.test(word));
}

/** What `--set` gives a chart of ours is in its values, or a setting's name. */
function helmFaults(words: readonly string[]): string[] {
  const given = words.flatMap((word, index) =>
    words[index - 1] === '--set' ? [word.split('=')[0] ?? ''] : [],
  );
  return given.filter((path) => !isValue(path)).map((path) => `the chart has no value ${path}`);
}

function isValue(path: string): boolean {
  const [group, setting = ''] = path.split('.');
  if (group === 'settings') return SETTING_NAMES.some((name) => name === setting);
  const known = path.replace(/\[.*/, '').replace(/(annotations)\..*/, '$1');
  return known.split('.').reduce<unknown>((value, name) => memberOf(value, name), values) !== undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** A script has the options that its head explains. */
function scriptFaults(given: string, words: readonly string[], files: readonly string[]): string[] {
  const path = given.replace(/^(\.\/|~\/thoth\/|\/home\/you\/thoth\/)/, '');
  const file = [path, `scripts/${path}`].find((candidate) => files.includes(candidate));
  if (file === undefined) return [`there is no ${posix.normalize(path)}`];
  const head = /^(?:#.*\n)+/.exec(read(file))?.[0] ?? '';
  return words
    .filter((word) => word.startsWith('--'))
    .map((word) => word.split('=')[0] ?? '')
    .filter((flag) => !new RegExp(`${flag}(?![a-z-])`).test(head))
    .map((flag) => `${file} has no ${flag}`);
}

function read(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}
