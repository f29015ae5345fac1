/**
 * What the exit codes of `thoth-release` mean; a test holds this table to src/release/errors.ts, which the
 * engine can not load from here.
 */
export const EXIT_MEANING: Readonly<Record<number, string>> = {
  1: 'a bug in thoth-release',
  2: 'bad input, or something it needs is missing',
  3: 'the scan gate is closed: there are findings that stop a release',
  4: 'the image breaks the image policy, or a platform does not start',
  5: 'the registry or the network failed',
  6: 'refused: the tag is immutable, the plan is stale, or what is in the registry is not what was planned',
  7: 'the vulnerability data is missing or too old to rest a release on',
  130: 'interrupted',
};

const LAST_LINES = 20;

/** What both SDKs put on the error of a failed command; neither shares the class with the other. */
interface ExecFailure extends Error {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * The error a caller of the module sees: what stage failed, what the exit code means, the last lines printed.
 *
 * The error is changed in place and returned, not wrapped: the exit code travels in it, and `dagger call`
 * exits with that code.
 *
 * @param meanings what the command's exit codes mean; by default those of thoth-release
 */
export function explained(stage: string, error: unknown, meanings = EXIT_MEANING): Error {
  const failure = error instanceof Error ? error : new Error(String(error));
  failure.message = isExecFailure(failure)
    ? describeExit(stage, failure.exitCode, failure.stderr.trim() || failure.stdout.trim(), meanings)
    : `${stage} failed: ${failure.message}`;
  return failure;
}

/** One sentence on a command that ended with `code`, then the last lines of what it printed. */
export function describeExit(stage: string, code: number, printed: string, meanings = EXIT_MEANING): string {
  const meaning = meanings[code];
  const head =
    meaning === undefined
      ? `${stage} failed (exit code ${code}).`
      : `${stage}: ${meaning} (exit code ${code}).`;
  const lines = printed.split('\n').slice(-LAST_LINES).join('\n').trim();
  return lines === '' ? head : `${head}\n${lines}`;
}

function isExecFailure(error: Error): error is ExecFailure {
  const { exitCode, stderr, stdout } = error as Partial<ExecFailure>;
  return typeof exitCode === 'number' && typeof stderr === 'string' && typeof stdout === 'string';
}
