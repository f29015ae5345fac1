import { constants } from 'node:os';
import { execa } from 'execa';
import { ReleaseError } from './errors.ts';

/** How a program is called. Secrets go in files or the environment, never in `args`: those show in `ps`. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text given on standard input. */
  readonly input?: string;
  /** Aborting it ends the program: SIGTERM, then SIGKILL five seconds later. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the program is ended and the call fails. */
  readonly timeout?: number;
  /** Called with each line of standard error as it comes, for progress. */
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

const SIGKILL_AFTER_MS = 5_000;

/**
 * Runs a program to its end and returns what it printed, whatever its exit code: the caller knows which
 * codes mean what.
 *
 * @throws ReleaseError TOOL_MISSING where the program isn't there; INTERRUPTED where `signal` ended it or
 *   the person at the terminal did.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const child = execa(program, args, {
    reject: false,
    stripFinalNewline: false,
    forceKillAfterDelay: SIGKILL_AFTER_MS,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
    ...(options.timeout === undefined ? {} : { timeout: options.timeout }),
  });
  if (options.onLine !== undefined) {
    const { onLine } = options;
    (async () => {
      for await (const line of child.iterable({ from: 'stderr' })) onLine(String(line));
    })().catch(() => undefined); // the failure itself is reported by the awaited result
  }
  const result = await child;
  if (result.isCanceled || interrupted(result.signal)) throw interruption(program);
  if (result.code === 'ENOENT') {
    throw new ReleaseError(
      'TOOL_MISSING',
      `The program "${program}" was not found.`,
      'Run `make tools` to install what a release needs.',
    );
  }
  const exitCode = result.exitCode ?? 128 + (constants.signals[result.signal ?? 'SIGKILL'] ?? 0);
  return {
    exitCode,
    stdout: String(result.stdout ?? ''),
    stderr: String(result.stderr ?? result.message ?? ''),
  };
}

/** Like {@link run}, and fails with `failure(result)` unless the program exits 0. */
export async function runOk(
  program: string,
  args: readonly string[],
  options: CommandOptions,
  failure: (result: CommandResult) => ReleaseError,
): Promise<CommandResult> {
  const result = await run(program, args, options);
  if (result.exitCode !== 0) throw failure(result);
  return result;
}

/** The last lines a program printed, for an error's details. */
export function tail(result: CommandResult, lines = 12): string[] {
  const text = result.stderr.trim() === '' ? result.stdout : result.stderr;
  return text.trim().split('\n').slice(-lines);
}

function interrupted(signal: string | undefined): boolean {
  return signal === 'SIGINT';
}

function interruption(program: string): ReleaseError {
  return new ReleaseError(
    'INTERRUPTED',
    `Interrupted while ${program} ran.`,
    'Run the same command again: it goes on from where it stopped.',
  );
}
