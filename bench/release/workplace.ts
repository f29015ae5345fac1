import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { type Measured, measure } from '../measure.ts';
import { installPackages } from '../page.ts';

export const PROJECT = resolve(import.meta.dirname, '../..');
const TOOLS = resolve(PROJECT, process.env.THOTH_HOME ?? '.thoth', 'tools');
const AUTHOR = { name: 'bench', email: 'bench@example.test' };

/** A folder for one run of the benchmark: a clone of the project to release from, and the peers' programs. */
export class Workplace {
  readonly dir: string;
  /** A clone without tags; changing it changes nothing of yours. */
  readonly project: string;
  /** What `.thoth` is elsewhere: empty but for the tools. */
  readonly home: string;
  readonly #program: string;
  #packages = '';

  private constructor(dir: string) {
    this.dir = dir;
    this.project = join(dir, 'project');
    this.home = join(dir, 'home');
    this.#program = join(dir, 'thoth-release.mjs');
  }

  static async open(): Promise<Workplace> {
    const place = new Workplace(await mkdtemp(join(tmpdir(), 'thoth-bench-')));
    try {
      await mkdir(place.home);
      await symlink(TOOLS, join(place.home, 'tools'));
      await execa('git', ['clone', '--quiet', '--no-tags', PROJECT, place.project]);
      await execa(process.execPath, [join(PROJECT, 'src/release/bundle.mjs'), place.#program]);
      place.#packages = await installPackages(place.dir);
      return place;
    } catch (error) {
      await place.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }

  /** The `node_modules` of tools/bench. */
  get packages(): string {
    return this.#packages;
  }

  /** Where a program of `.thoth/tools` is. */
  tool(name: string): string {
    return join(TOOLS, 'bin', name);
  }

  /** The newest Node.js there is, for peers that need one newer than this. */
  get node(): string {
    const major = Number(process.versions.node.split('.')[0]);
    return major >= 22 ? process.execPath : this.tool('node24');
  }

  /** Runs thoth-release, bundled as it is used elsewhere. @param options.cwd the project it is about */
  thoth(
    args: readonly string[],
    options: { cwd?: string; env?: Readonly<Record<string, string>> } = {},
  ): Promise<Measured> {
    const env = { THOTH_HOME: this.home, CI: 'true', ...options.env };
    return measure(process.execPath, [this.#program, ...args], { cwd: options.cwd ?? this.project, env });
  }

  /** Commits what was changed in the clone. */
  async commit(subject: string): Promise<void> {
    await git(this.project, ['commit', '--quiet', '--all', '--message', subject]);
  }

  /** Reads a file of a release that was rehearsed. */
  async record(version: string, file: string): Promise<unknown> {
    return JSON.parse(await readFile(join(this.home, 'release', version, file), 'utf8'));
  }
}

/** Runs git as nobody in particular. */
export function git(cwd: string, args: readonly string[], input?: string): Promise<unknown> {
  const who = [
    '-c',
    `user.name=${AUTHOR.name}`,
    '-c',
    `user.email=${AUTHOR.email}`,
    '-c',
    'commit.gpgSign=false',
  ];
  return execa('git', [...who, ...args], { cwd, ...(input === undefined ? {} : { input }) });
}
