import { copyFileSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { backup as copyDatabase } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { packTar } from 'modern-tar/fs';
import { EXIT } from '../exit.ts';
import { Failure } from '../failure.ts';
import { hashKeyFile } from '../keys/hash-key.ts';
import { journalFile } from '../usage/journal.ts';
import { VERSION } from '../version.ts';
import { FORMAT, MANIFEST, type Manifest, sha256Of } from './manifest.ts';
import { schemaOf } from './migrations.ts';
import { DATABASE, openReadOnly } from './read-only.ts';
import { directoryFault, storeFailure } from './sqlite-fault.ts';
import { storeDirectory } from './swap.ts';

const WORK = 'backup-';
/** The most that SQLite copies in one step: 8 TB. */
const ALL_PAGES = 2 ** 31 - 1;
const LEFT_AFTER_MS = 3_600_000;

/** A backup that is ready to be read. */
export interface Backup {
  readonly manifest: Manifest;
  /** A tar archive: the manifest, then its files. */
  readonly archive: Readable;
  /** Removes what it was made from; to be called at the end, whatever happened. */
  remove(): void;
}

/**
 * Makes a backup of all that is in the data directory, as it is at one moment, while a service may be at work on it.
 * The journal is copied before the database, so that each request is in one of them at least; what is in both
 * counts once.
 *
 * It needs as much room in the data directory again. Settings and provider keys are not in it; the key of the hashes
 * is, so whoever has it can try secrets.
 *
 * @throws Failure where there is no data, or it can't be read or copied
 */
export async function makeBackup(dataDirectory: string): Promise<Backup> {
  const store = storeDirectory(dataDirectory);
  requireStore(join(store, DATABASE));
  let work: string | undefined;
  const remove = () => work !== undefined && rmSync(work, { recursive: true, force: true });
  try {
    removeLeft(dataDirectory);
    work = mkdtempSync(join(dataDirectory, WORK)); // of mode 700
    for (const file of [journalFile(store), hashKeyFile(store)]) {
      if (existsSync(file)) copyFileSync(file, join(work, basename(file)));
    }
    const schema = await copy(store, join(work, DATABASE));
    const manifest = await manifestOf(work, schema);
    const archive = packTar([
      { type: 'content', content: JSON.stringify(manifest, null, 2), target: MANIFEST, mode: 0o600 },
      ...manifest.files.map(({ name }) => {
        return { type: 'file' as const, source: join(work ?? '', name), target: name, mode: 0o600 };
      }),
    ]);
    return { manifest, archive, remove };
  } catch (error) {
    remove();
    throw storeFailure(error) ?? error;
  }
}

/** Copies the database, in one step: what is written meanwhile waits for nobody and is not in it. */
async function copy(store: string, target: string): Promise<number> {
  const database = openReadOnly(store);
  try {
    const schema = schemaOf(database);
    await copyDatabase(database, target, { rate: ALL_PAGES });
    return schema;
  } finally {
    database.close();
  }
}

async function manifestOf(work: string, schema: number): Promise<Manifest> {
  const names = (['thoth.db', 'hmac.key', 'usage.journal'] as const).filter((name) =>
    existsSync(join(work, name)),
  );
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(work, name);
      return { name, size: statSync(path).size, sha256: await sha256Of(path) };
    }),
  );
  return { format: FORMAT, thoth: VERSION, schema, created_at: new Date().toISOString(), files };
}

/** What backups left that were killed: nobody else removes it. */
function removeLeft(dataDirectory: string): void {
  for (const name of readdirSync(dataDirectory)) {
    const path = join(dataDirectory, name);
    if (name.startsWith(WORK) && Date.now() - statSync(path).mtimeMs > LEFT_AFTER_MS) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}

function requireStore(database: string): void {
  try {
    statSync(database);
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === 'ENOENT'
      ? nothingThere()
      : (storeFailure(error) ?? error);
  }
}

function nothingThere(): Failure {
  return new Failure(EXIT.storage, 'There is nothing to back up.', [
    {
      ...directoryFault('holds no data of Thoth'),
      fix: 'Name the directory of a service that was started once.',
    },
  ]);
}
