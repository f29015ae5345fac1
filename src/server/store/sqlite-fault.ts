import { EXIT, type ExitCode } from '../exit.ts';
import { Failure, type Fault } from '../failure.ts';

/** SQLite's primary result codes (sqlite.org/rescode.html) that say something about the disk or the file. */
const REASONS: Readonly<Record<number, readonly [problem: string, exitCode: ExitCode]>> = {
  5: ['is being written by another program', EXIT.busy],
  6: ['is being written by another program', EXIT.busy],
  8: ['may not be written', EXIT.storage],
  10: ['can not be read or written: the disk has an error', EXIT.storage],
  11: ['is damaged', EXIT.data],
  13: ['can not be written: the disk is full', EXIT.storage],
  14: ['can not be opened by this user', EXIT.storage],
  23: ['may not be read by this user', EXIT.storage],
  26: ['is no database of Thoth', EXIT.data],
};

/** Errors of the file system, as codes of Node's. */
const FILE_REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'does not exist',
  ENOTDIR: 'is not a directory',
  EACCES: 'may not be written by this user',
  EPERM: 'may not be written by this user',
  EROFS: 'is read-only',
  ENOSPC: 'is on a full disk',
  EDQUOT: 'is over its disk quota',
  EIO: 'is on a disk that has an error',
};

const FIXES: Partial<Record<ExitCode, string>> = {
  [EXIT.busy]: 'Try again.',
  [EXIT.data]: 'Restore a backup: thoth restore FILE.',
};

/**
 * The failure behind an error of SQLite's or of the file system's in the data directory.
 *
 * @returns `undefined` where it is neither, and so a bug
 */
export function storeFailure(error: unknown): Failure | undefined {
  if (error instanceof Failure) return error;
  if (!(error instanceof Error)) return undefined;
  const result = 'errcode' in error ? Number(error.errcode) & 0xff : undefined;
  const [problem, exitCode] = result === undefined ? fileReason(error) : (REASONS[result] ?? []);
  if (problem === undefined || exitCode === undefined) return undefined;
  const subject = result === undefined ? 'DATA_DIR' : 'DATA_DIR, its database';
  return new Failure(exitCode, 'The data directory can not be used.', [
    {
      subject,
      problem: result === undefined ? `the data directory ${problem}` : problem,
      fix: fixOf(exitCode),
    },
  ]);
}

/** What a file system's error means for the data directory, as the end of "the data directory ...". */
export function fileProblem(code: string): string {
  return FILE_REASONS[code] ?? `can not be written (${code})`;
}

/** What is wrong with the data directory, in words that end in what to do. */
export function directoryFault(problem: string): Fault {
  return { subject: 'DATA_DIR', problem: `the data directory ${problem}`, fix: fixOf(EXIT.storage) };
}

function fileReason(error: Error): readonly [string, ExitCode] | readonly [] {
  const problem = FILE_REASONS[(error as NodeJS.ErrnoException).code ?? ''];
  return problem === undefined ? [] : [problem, EXIT.storage];
}

function fixOf(exitCode: ExitCode): string {
  return (
    FIXES[exitCode] ??
    'Mount a volume there that the service may write (in the image its user is 65532), with free space.'
  );
}
