import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { unpackTar } from 'modern-tar/fs';
import { EXIT } from '../exit.ts';
import { Failure } from '../failure.ts';
import { FORMAT, MANIFEST, Manifest, sha256Of } from './manifest.ts';
import { newer, SCHEMA, schemaOf } from './migrations.ts';
import { DATABASE } from './read-only.ts';
import { takeServiceLock } from './service-lock.ts';
import { storeFailure } from './sqlite-fault.ts';
import { prepareToWrite } from './store.ts';
import { partialDirectory, replacedDirectory, storeDirectory, swap } from './swap.ts';
import { syncDirectory } from './sync-directory.ts';

const NAMES = new Set([MANIFEST, ...Manifest.shape.files.element.shape.name.options]);

/** What a restore did. */
export interface Restored {
  readonly manifest: Manifest;
  /** The schema that the data was brought to. */
  readonly schema: number;
  /** Where what was there before is kept, until the next restore. */
  readonly replaced: string | undefined;
}

/**
 * Puts a backup in place of the data: first it is unpacked beside it, checked and brought to this program's schema,
 * then it takes its place in one step. Until then nothing is changed, whatever goes wrong.
 *
 * @param whileRunning even where a service runs on the data, which then has to be restarted
 * @throws Failure: 65 where the backup is damaged, none, or of a newer Thoth; 75 where a service runs; 74 where the
 * data directory can't be written
 */
export async function restore(
  dataDirectory: string,
  archive: Readable,
  whileRunning: boolean,
): Promise<Restored> {
  const partial = partialDirectory(dataDirectory);
  const lock = whileRunning ? undefined : takeServiceLock(dataDirectory);
  try {
    rmSync(partial, { recursive: true, force: true });
    mkdirSync(partial, { mode: 0o700 });
    await unpack(archive, partial);
    const manifest = await checked(partial);
    upgrade(join(partial, DATABASE), manifest.schema);
    rmSync(join(partial, MANIFEST));
    syncAll(partial, manifest);
    const before = existsSync(storeDirectory(dataDirectory));
    swap(dataDirectory);
    syncDirectory(dataDirectory);
    const replaced = before ? replacedDirectory(dataDirectory) : undefined;
    return { manifest, schema: SCHEMA, replaced };
  } catch (error) {
    rmSync(partial, { recursive: true, force: true });
    throw storeFailure(error) ?? error;
  } finally {
    lock?.release();
  }
}

async function unpack(archive: Readable, to: string): Promise<void> {
  const filter = ({ name, type }: { readonly name: string; readonly type?: string }) =>
    type === 'file' && NAMES.has(name);
  try {
    await pipeline(archive, unpackTar(to, { filter, fmode: 0o600, concurrency: 1, maxDepth: 1 }));
  } catch (error) {
    throw storeFailure(error) ?? damaged('it is no tar archive, or it is cut off');
  }
}

/** The manifest, when all that it names is there, byte by byte. */
async function checked(directory: string): Promise<Manifest> {
  const manifest = readManifest(join(directory, MANIFEST));
  if (manifest.format > FORMAT || manifest.schema > SCHEMA) throw newer(manifest.schema);
  for (const { name, size, sha256 } of manifest.files) {
    const path = join(directory, name);
    if (!existsSync(path)) throw damaged(`${name} is missing in it`);
    if (statSync(path).size !== size) throw damaged(`${name} is not as long as it was`);
    if ((await sha256Of(path)) !== sha256) throw damaged(`the checksum of ${name} is another`);
  }
  if (!manifest.files.some(({ name }) => name === DATABASE)) throw damaged(`${DATABASE} is missing in it`);
  return manifest;
}

function readManifest(path: string): Manifest {
  if (!existsSync(path)) throw damaged(`${MANIFEST} is missing in it`);
  try {
    return Manifest.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch {
    throw damaged(`${MANIFEST} can not be read`);
  }
}

function upgrade(path: string, schema: number): void {
  const database = new DatabaseSync(path);
  try {
    if (schemaOf(database) !== schema) throw damaged('its database is of another schema than it says');
    const [found] = Object.values(database.prepare('PRAGMA integrity_check').get() ?? {});
    if (found !== 'ok') throw damaged('its database is damaged');
    prepareToWrite(database);
  } finally {
    database.close(); // the write-ahead log goes with it
  }
}

function syncAll(directory: string, { files }: Manifest): void {
  for (const { name } of files) {
    const file = openSync(join(directory, name), 'r+');
    fsyncSync(file);
    closeSync(file);
  }
  syncDirectory(directory);
}

function damaged(problem: string): Failure {
  const fix = 'Nothing was changed. Fetch the backup again, or take another one.';
  return new Failure(EXIT.data, 'This backup can not be restored.', [{ subject: 'backup', problem, fix }]);
}
