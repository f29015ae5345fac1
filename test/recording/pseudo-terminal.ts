import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

/** Columns and rows of every recording. */
export const SIZE = { columns: 112, rows: 36 } as const;

/** Something a program wrote to its terminal. */
export interface Output {
  /** Seconds since what was written before. */
  readonly after: number;
  readonly bytes: Buffer;
}

/** What a command wrote, and when. */
export interface Recording {
  readonly outputs: readonly Output[];
  readonly exitCode: number | undefined;
}

/**
 * Runs a command line of the shell in a terminal of its own, by `script` of util-linux. The shell itself writes the
 * prompt and the line, so that nothing in a recording was typed by hand.
 *
 * @param env all that it gets of an environment, besides what a terminal has
 */
export async function record(
  command: string,
  options: { cwd: string; env: Readonly<Record<string, string>> },
): Promise<Recording> {
  const dir = await mkdtemp(join(tmpdir(), 'thoth-recording-'));
  const [log, timing] = [join(dir, 'log'), join(dir, 'timing')];
  const { columns, rows } = SIZE;
  const line = `stty cols ${columns} rows ${rows}; PS4='$ '; set -x; ${command}`;
  try {
    const { exitCode } = await execa(
      'script',
      ['--quiet', '--return', '--flush', '--log-out', log, '--log-timing', timing, '--command', line],
      {
        cwd: options.cwd,
        extendEnv: false,
        env: { TERM: 'xterm-256color', SHELL: '/bin/sh', ...options.env },
        stdin: 'ignore',
        stdout: 'ignore',
        reject: false,
      },
    );
    return { outputs: readOutputs(await readFile(log), await readFile(timing, 'utf8')), exitCode };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** @param timing a line an output: seconds and bytes (scriptreplay(1), the simple format) */
function readOutputs(log: Buffer, timing: string): Output[] {
  // The log begins with a line of script's own.
  let at = log.indexOf(0x0a) + 1;
  return timing
    .trim()
    .split('\n')
    .map((line) => {
      const [after = 0, length = 0] = line.split(' ').map(Number);
      const bytes = log.subarray(at, at + length);
      at += length;
      return { after, bytes };
    });
}
