import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Waits until what was named, renamed or removed in a directory is on the disk. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return; // a directory can not be opened there
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
