import { existsSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { EXIT } from '../exit.ts';
import { Failure } from '../failure.ts';
import { hashKeyFile } from '../keys/hash-key.ts';
import { DataDirectory } from '../store/data-directory.ts';
import { SCHEMA, schemaOf } from '../store/migrations.ts';
import { DATABASE, openReadOnly } from '../store/read-only.ts';
import { takeServiceLock } from '../store/service-lock.ts';
import { storeFailure } from '../store/sqlite-fault.ts';
import { storeDirectory } from '../store/swap.ts';
import { journalFile } from '../usage/journal.ts';

const LEAST_FREE = 100 * 1024 * 1024;
const MEGABYTE = 1024 * 1024;

/** One thing that was looked at. */
export interface Finding {
  readonly subject: string;
  readonly ok: boolean;
  readonly detail: string;
  /** What to do, where it is not well. */
  readonly fix?: string;
}

/** Looks at the data directory and all that is in it. Changes nothing, and migrates nothing. */
export async function findData(dataDirectory: string | undefined): Promise<Finding[]> {
  if (dataDirectory === undefined) return [];
  const fault = await new DataDirectory(dataDirectory).check();
  if (fault !== undefined)
    return [{ subject: fault.subject, ok: false, detail: fault.problem, fix: fault.fix }];
  const store = storeDirectory(dataDirectory);
  return [
    { subject: 'DATA_DIR', ok: true, detail: 'it can be written' },
    findDisk(dataDirectory),
    findService(dataDirectory),
    ...(existsSync(join(store, DATABASE)) ? findStore(store) : [NOTHING]),
  ];
}

const NOTHING: Finding = { subject: 'database', ok: true, detail: 'none yet: it is made at the first start' };

function findDisk(path: string): Finding {
  const { bavail, bsize } = statfsSync(path);
  const free = bavail * bsize;
  const finding = {
    subject: 'disk',
    ok: free >= LEAST_FREE,
    detail: `${Math.round(free / MEGABYTE)} MiB are free`,
  };
  return finding.ok
    ? finding
    : { ...finding, fix: 'Free some disk: usage is kept in memory alone when it is full.' };
}

function findService(dataDirectory: string): Finding {
  try {
    takeServiceLock(dataDirectory).release();
    return { subject: 'service', ok: true, detail: 'none runs on this data' };
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode !== EXIT.busy) throw error;
    return { subject: 'service', ok: true, detail: 'it runs on this data' };
  }
}

function findStore(store: string): Finding[] {
  try {
    const database = openReadOnly(store);
    try {
      return [findDatabase(database, store), findKeys(database, store), findUsage(database, store)];
    } finally {
      database.close();
    }
  } catch (error) {
    const failure = storeFailure(error);
    if (failure === undefined) throw error;
    return failure.faults.map(({ subject, problem, fix }) => ({ subject, ok: false, detail: problem, fix }));
  }
}

function findDatabase(database: DatabaseSync, store: string): Finding {
  const [found] = Object.values(database.prepare('PRAGMA quick_check(1)').get() ?? {});
  const size = Math.round(statSync(join(store, DATABASE)).size / MEGABYTE);
  const detail = `schema ${schemaOf(database)} of ${SCHEMA}, ${size} MiB, ${found === 'ok' ? 'sound' : 'damaged'}`;
  const finding = { subject: 'database', ok: found === 'ok', detail };
  return finding.ok ? finding : { ...finding, fix: 'Restore a backup: thoth restore FILE.' };
}

function findKeys(database: DatabaseSync, store: string): Finding {
  const count = countOf(database, 'client_key WHERE revoked_at IS NULL');
  const detail = `${count} client keys that are not revoked`;
  const key = hashKeyFile(store);
  if (count > 0 && !existsSync(key)) {
    const fix = 'Restore a backup: without that file no client key can be checked.';
    return { subject: 'keys', ok: false, detail: `${detail}, and hmac.key is missing`, fix };
  }
  return { subject: 'keys', ok: true, detail };
}

function findUsage(database: DatabaseSync, store: string): Finding {
  const rows = schemaOf(database) < 2 ? 0 : countOf(database, 'usage');
  const journal = journalFile(store);
  const waiting = existsSync(journal) ? statSync(journal).size : 0;
  return { subject: 'usage', ok: true, detail: `${rows} requests, ${waiting} bytes wait to be written` };
}

function countOf(database: DatabaseSync, rows: string): number {
  return Number(database.prepare(`SELECT count(*) AS count FROM ${rows}`).get()?.count);
}
