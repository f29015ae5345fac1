import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ReleaseError } from '../errors.ts';

const NO_ROOM = new Set(['ENOSPC', 'EDQUOT']);
const NO_RIGHT = new Set(['EACCES', 'EPERM', 'EROFS']);

/**
 * Writes a file as a whole or not at all: into a file beside it, onto the disk, then under its name.
 *
 * @throws ReleaseError DISK where the disk is full or may not be written
 */
export async function writeWhole(path: string, text: string): Promise<void> {
  const partial = `${path}.partial`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(partial, 'w');
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw diskError(error) ?? error;
  }
}

/** Reads a file; `undefined` where there is none. */
export async function readIfThere(path: string): Promise<Buffer | undefined> {
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}

/** The coded error for a full or read-only disk; `undefined` for anything else. */
export function diskError(error: unknown): ReleaseError | undefined {
  const { code = '', path = 'a file' } = (error ?? {}) as NodeJS.ErrnoException;
  if (NO_ROOM.has(code)) {
    return new ReleaseError(
      'DISK',
      `${path} could not be written: the disk is full.`,
      'Free some room and run it again.',
    );
  }
  if (NO_RIGHT.has(code)) {
    return new ReleaseError(
      'DISK',
      `${path} may not be written.`,
      'Give yourself the right to write there, or name another folder with --home.',
    );
  }
  return undefined;
}
