import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ReleaseError } from '../errors.ts';

/** A lock that is held. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes the lock on a repository's tags, so that of two releases on one machine one goes on and the other
 * is refused. A lock whose process is gone, by a crash or a power cut, is taken over.
 *
 * Releases on several machines are kept apart by the workflow's concurrency group, and by the plan: a tag
 * that moved meanwhile makes it stale.
 *
 * @param home the folder that holds everything this project makes
 * @param name what is locked, such as `docker.io/marcopancotti/thoth`
 * @throws ReleaseError LOCKED with the process that holds it
 */
export async function takeLock(home: string, name: string): Promise<Lock> {
  const path = join(home, 'locks', `${name.replace(/[^A-Za-z0-9.-]+/g, '_')}.lock`);
  const own = `${path}.${process.pid}`;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(own, `${process.pid}\n`);
  try {
    // Linked, not written in place: the lock appears together with the number of its holder.
    while (!(await linked(own, path))) {
      const holder = await holderOf(path);
      if (isRunning(holder)) throw locked(name, holder, path);
      await removeStale(path, holder);
    }
  } finally {
    await rm(own, { force: true });
  }
  return { release: () => rm(path, { force: true }) };
}

async function linked(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

async function holderOf(path: string): Promise<number> {
  return Number((await readFile(path, 'utf8').catch(() => '')).trim());
}

/** Moves a lock aside before it goes: where another process took it over meanwhile, it gets it back. */
async function removeStale(path: string, holder: number): Promise<void> {
  const aside = `${path}.stale.${process.pid}`;
  try {
    await rename(path, aside);
  } catch {
    return; // somebody else removed it
  }
  if ((await holderOf(aside)) !== holder) await linked(aside, path);
  await rm(aside, { force: true });
}

function isRunning(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function locked(name: string, holder: number, path: string): ReleaseError {
  return new ReleaseError(
    'LOCKED',
    `Another release works on ${name} (process ${holder}).`,
    `Wait until it has ended, and run this again. Where process ${holder} is something else, delete ${path}.`,
  );
}
