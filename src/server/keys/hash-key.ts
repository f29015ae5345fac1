import { randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT } from '../exit.ts';
import { Failure } from '../failure.ts';
import { syncDirectory } from '../store/sync-directory.ts';

const FILE = 'hmac.key';
const BYTES = 32;

/** The file, below the store's directory, that holds the key of all hashes of secrets. */
export function hashKeyFile(directory: string): string {
  return join(directory, FILE);
}

/**
 * Reads the key of the hashes, 32 random bytes, readable by its owner alone.
 *
 * @param mayMake make one where there is none: right only where there are no hashes yet
 * @throws Failure with exit code 65 where it is missing or damaged: no client key can be checked without it
 */
export function readHashKey(directory: string, mayMake: boolean): Buffer {
  const path = hashKeyFile(directory);
  const found = read(path);
  if (found !== undefined) return found;
  if (!mayMake) throw unusable('is missing');
  make(path);
  return read(path) ?? readHashKey(directory, false);
}

function read(path: string): Buffer | undefined {
  try {
    const key = readFileSync(path);
    if (key.length !== BYTES) throw unusable('is damaged');
    return key;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Links it into its place whole, so that of two programs that make one at the same time both use the first. */
function make(path: string): void {
  const partial = `${path}.${process.pid}`;
  const file = openSync(partial, 'w', 0o600);
  try {
    writeSync(file, randomBytes(BYTES));
    fsyncSync(file);
    linkSync(partial, path);
    syncDirectory(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    closeSync(file);
    rmSync(partial, { force: true });
  }
}

function unusable(problem: string): Failure {
  return new Failure(EXIT.data, 'Client keys can not be checked.', [
    {
      subject: `DATA_DIR, ${FILE}`,
      problem: `the file ${problem}, and without it the stored hashes are of no use`,
      fix: 'Restore a backup: thoth restore FILE. Or delete the directory "store" in DATA_DIR and create new keys.',
    },
  ]);
}
