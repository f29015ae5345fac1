import { readFileSync, statSync } from 'node:fs';

const LARGEST_BYTES = 64 * 1024;

/** Why a file could not be taken as a secret, as the end of "NAME_FILE ...". Never the file's name or text. */
export interface Unreadable {
  readonly problem: string;
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'names a file that does not exist',
  EACCES: 'names a file that may not be read by this user',
  ENOTDIR: 'names a file that does not exist',
};

/**
 * Reads a secret from a file, such as a Docker secret, without the white space around it.
 *
 * The path is left out of what is reported: a common mistake is to put the secret itself there.
 */
export function readSecretFile(path: string): string | Unreadable {
  try {
    // Asked before the file is opened: opening a pipe that nobody writes to would wait for ever.
    const file = statSync(path);
    if (!file.isFile()) return { problem: 'does not name a regular file' };
    if (file.size > LARGEST_BYTES) return { problem: 'names a file too large for a key (over 64 KiB)' };
    const text = readFileSync(path, 'utf8').trim();
    return text === '' ? { problem: 'names an empty file' } : text;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return { problem: REASONS[code] ?? `names a file that can not be read (${code})` };
  }
}
