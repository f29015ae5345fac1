import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** The directory in the data directory that holds all that is backed up and restored. */
export function storeDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'store');
}

/** Where a restore puts together what is to take the store's place. */
export function partialDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'restore.partial');
}

/** What a restore put aside, until the next one. */
export function replacedDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'replaced');
}

function readyDirectory(dataDirectory: string): string {
  return join(dataDirectory, 'restore.ready');
}

/**
 * Puts the partial directory, which must be complete and on the disk, in place of the store. Cut off between its
 * steps, the next program that opens the store finishes it.
 */
export function swap(dataDirectory: string): void {
  const store = storeDirectory(dataDirectory);
  const replaced = replacedDirectory(dataDirectory);
  rmSync(replaced, { recursive: true, force: true });
  rmSync(readyDirectory(dataDirectory), { recursive: true, force: true });
  renameSync(partialDirectory(dataDirectory), readyDirectory(dataDirectory));
  if (existsSync(store)) renameSync(store, replaced);
  finishRestore(dataDirectory);
}

/** Finishes a restore that was cut off after it had put the store aside. Before that, it had no effect. */
export function finishRestore(dataDirectory: string): void {
  const store = storeDirectory(dataDirectory);
  const ready = readyDirectory(dataDirectory);
  if (!existsSync(store) && existsSync(ready)) renameSync(ready, store);
}
