import { constants } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { ReleaseError } from '../errors.ts';

/** How a program is called. Secrets go in files or the environment, never in `args`: those show in `ps`. */
export interface CommandOptions {
  readonly cwd?: string;
  /** Added to the environment of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Text given on standard input. */
  readonly input?: string;
  /** Aborting it ends the program and what it started: SIGTERM, then SIGKILL five seconds later. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds after which the program and what it started are ended in the same way. */
  readonly timeout?: number;
  /** Called with each line of standard error as it comes, for progress. */
  readonly onLine?: (line: string) => void;
}

export interface CommandResult {
  /** 128 and the signal's number where a signal ended it; 124 where the timeout did, as with timeout(1). */
  readonly exitCode: number;
  readonly stdout: string;
  /** The last 256 K characters of it. */
  readonly stderr: string;
}

const KILL_AFTER_MS = 5_000;
const STDERR_KEPT = 262_144;
const STDOUT_LIMIT = 100_000_000;
/** Windows has no process groups: there, only the program itself is ended. */
const GROUPS = process.platform !== 'win32';

/** Process groups under way. What is left of them when this process exits is ended with it. */
const groups = new Set<number>();
process.on('exit', () => {
  for (const group of groups) send(group, 'SIGTERM');
});

/**
 * Runs a program to its end and returns what it printed, whatever its exit code: the caller knows which
 * codes mean what.
 *
 * The program has a process group of its own. So Ctrl-C reaches it through `signal` alone, and everything it
 * started ends with it.
 *
 * @throws ReleaseError TOOL_MISSING where the program can't be started; INTERRUPTED where `signal` ended it or
 *   somebody sent it SIGINT.
 */
export async function run(
  program: string,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const { signal, timeout, onLine } = options;
  if (signal?.aborted === true) throw interruption(program);
  const child = execa(program, args, {
    reject: false,
    stripFinalNewline: false,
    detached: GROUPS,
    cleanup: false,
    buffer: { stderr: false },
    maxBuffer: STDOUT_LIMIT,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.input === undefined ? { stdin: 'ignore' as const } : { input: options.input }),
  });
  const group = child.pid;
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-STDERR_KEPT);
  });
  if (onLine !== undefined) createInterface({ input: child.stderr }).on('line', onLine);

  let ending: Promise<void> | undefined;
  let cause: 'signal' | 'timeout' | undefined;
  const end = (why: typeof cause) => {
    cause ??= why;
    ending ??= endGroup(group).then(() => {
      // Held open by a process that left the group, they would keep the call waiting.
      child.stdout.destroy();
      child.stderr.destroy();
    });
  };
  const abort = () => end('signal');
  const timer = timeout === undefined ? undefined : setTimeout(() => end('timeout'), timeout);
  signal?.addEventListener('abort', abort);
  if (group !== undefined) groups.add(group);
  const result = await child;
  clearTimeout(timer);
  signal?.removeEventListener('abort', abort);
  if (result.isMaxBuffer) end(undefined);
  await ending;
  if (group !== undefined) groups.delete(group);

  if (cause === 'signal' || result.signal === 'SIGINT') throw interruption(program);
  if (group === undefined) throw notStarted(program, result.originalMessage);
  const { stdout } = result;
  if (cause === 'timeout') return { exitCode: 124, stdout, stderr: `${stderr}\nended after ${timeout} ms` };
  // What it printed is not whole, whatever its exit code.
  if (result.isMaxBuffer)
    return {
      exitCode: signalled('SIGPIPE'),
      stdout,
      stderr: `${stderr}\nended after ${STDOUT_LIMIT} characters of output`,
    };
  return { exitCode: result.exitCode ?? signalled(result.signal ?? 'SIGKILL'), stdout, stderr };
}

/** Ends every process of a group, and returns when they are gone: SIGTERM, then SIGKILL five seconds later. */
export async function endGroup(group: number | undefined): Promise<void> {
  const limit = performance.now() + KILL_AFTER_MS;
  let there = send(group, 'SIGTERM');
  while (there && performance.now() < limit) {
    await sleep(20);
    there = send(group, 0);
  }
  if (there) send(group, 'SIGKILL');
}

/** Sends a signal to every process of a group. @returns whether there is still one */
function send(group: number | undefined, signal: NodeJS.Signals | 0): boolean {
  try {
    return group !== undefined && process.kill(GROUPS ? -group : group, signal);
  } catch {
    return false;
  }
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

/** As shells number it. */
function signalled(signal: NodeJS.Signals): number {
  return 128 + constants.signals[signal];
}

function notStarted(program: string, reason = 'no reason given'): ReleaseError {
  const why = /^spawn .+ ENOENT$/.test(reason) ? 'was not found' : 'could not be started';
  return new ReleaseError(
    'TOOL_MISSING',
    `The program "${program}" ${why}.`,
    'Run `make tools` to install what a release needs.',
    reason.split('\n'),
  );
}

function interruption(program: string): ReleaseError {
  return new ReleaseError(
    'INTERRUPTED',
    `Interrupted while ${program} ran.`,
    'Run the same command again: it goes on from where it stopped.',
  );
}
