import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';

export interface Disk {
  readonly path: string;
  remount(how: 'ro' | 'rw'): void;
}

/** A small disk of its own, in memory, until the tests of the file are over. Mounting needs root. */
export function mountDisk(size = '2m'): Disk {
  const path = mkdtempSync(join(tmpdir(), 'thoth-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path]);
  after(() => {
    execFileSync('umount', [path]);
    rmdirSync(path);
  });
  return { path, remount: (how) => void execFileSync('mount', ['-o', `remount,${how}`, path]) };
}
