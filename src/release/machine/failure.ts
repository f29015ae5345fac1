import { z } from 'zod';
import { EXIT, ReleaseError } from '../errors.ts';
import { diskError } from './file.ts';

/**
 * What a person, or with `--json` a program, is told of a failure. A stack trace is shown for bugs only.
 *
 * @returns the text for standard error, and the exit code
 */
export function describeFailure(error: unknown, json: boolean): { text: string; exitCode: number } {
  const known = knownError(error);
  if (known === undefined) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const text = json
      ? JSON.stringify({ error: { code: 'BUG', message: String(error), remedy: 'Please report it.' } })
      : `thoth-release: a bug. Please report it with these lines.\n${stack}`;
    return { text: `${text}\n`, exitCode: EXIT.bug };
  }
  const text = json
    ? JSON.stringify(known)
    : [
        `error ${known.code}: ${known.message}`,
        ...known.details.map((line) => `  ${line}`),
        known.remedy,
      ].join('\n');
  return { text: `${text}\n`, exitCode: known.exitCode };
}

function knownError(error: unknown): ReleaseError | undefined {
  if (error instanceof ReleaseError) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new ReleaseError(
      'INTERRUPTED',
      'Interrupted.',
      'Run the same command again: it goes on from there.',
    );
  }
  // Only flags are parsed without a message of their own: everything else from outside has its coded error.
  if (error instanceof z.ZodError) {
    return new ReleaseError(
      'USAGE',
      'The command line is not valid.',
      'Run the command with --help.',
      error.issues.map((issue) => `--${String(issue.path[0] ?? '')}: ${issue.message}`),
    );
  }
  return diskError(error);
}
