import { delimiter, join, resolve } from 'node:path';
import { execa } from 'execa';
import { HOST_NODE } from './host-node.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** What starts `thoth-release` from its sources: a program and the first of its arguments. */
export const CLI = [
  HOST_NODE,
  '--import',
  join(ROOT, 'node_modules/tsx/dist/loader.mjs'),
  join(ROOT, 'src/release/cli.ts'),
] as const;
/** The project's own tools first. */
export const PATH = [join(ROOT, '.thoth/tools/bin'), process.env.PATH].join(delimiter);

/** Runs `thoth-release` in a project. Of this process's environment it gets nothing but the path. */
export function runCli(project: string, args: readonly string[], env: Readonly<Record<string, string>>) {
  const [program, ...first] = CLI;
  return execa(program, [...first, ...args], {
    cwd: project,
    reject: false,
    stdin: 'ignore',
    extendEnv: false,
    env: { PATH, CI: 'true', HOME: project, ...env },
  });
}
