import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { EXIT } from '../exit.ts';
import { Failure } from '../failure.ts';
import { storeFailure } from './sqlite-fault.ts';

const FILE = 'service.lock';

/** A lock that is held until the process ends or releases it. */
export interface ServiceLock {
  release(): void;
}

/**
 * Takes the lock on a data directory. Of two services only one may have it: limits are counted in memory.
 *
 * It is SQLite's lock on an empty file, so the kernel drops it however the process ends, and containers that share
 * a volume see each other's. The process id in a file would do neither: in every container it is 1.
 *
 * @throws Failure with exit code 75 where a service has it; 74 where the directory can not be used
 */
export function takeServiceLock(dataDirectory: string): ServiceLock {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(join(dataDirectory, FILE), { timeout: 0 });
    database.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE');
    const held = database;
    return { release: () => held.close() };
  } catch (error) {
    database?.close();
    const failure = storeFailure(error);
    if (failure === undefined) throw error;
    throw failure.exitCode === EXIT.busy ? running() : failure;
  }
}

function running(): Failure {
  return new Failure(EXIT.busy, 'A service runs on this data directory.', [
    {
      subject: 'DATA_DIR',
      problem: 'another process of Thoth has it',
      fix: 'Stop that one first, or name another DATA_DIR.',
    },
  ]);
}
