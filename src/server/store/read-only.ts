import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { newer, SCHEMA, schemaOf } from './migrations.ts';

export const DATABASE = 'thoth.db';

/**
 * Opens a store's database to read, of whatever earlier schema it is: nothing is migrated, since a service of an
 * earlier version may be at work on it. On a disk that can't be written too.
 *
 * @throws Failure with exit code 65 where it is of a newer Thoth; SQLite's error where it can't be read
 */
export function openReadOnly(directory: string): DatabaseSync {
  const path = join(directory, DATABASE);
  // Without a write-ahead log on a disk that can't be written, SQLite must be told that nobody will make one.
  const immutable = pathToFileURL(path);
  immutable.searchParams.set('immutable', '1');
  const database = existsSync(`${path}-wal`) ? tryOpen(path) : (attempt(path) ?? tryOpen(immutable));
  const schema = schemaOf(database);
  if (schema <= SCHEMA) return database;
  database.close();
  throw newer(schema);
}

function attempt(target: string): DatabaseSync | undefined {
  try {
    return tryOpen(target);
  } catch {
    return undefined;
  }
}

function tryOpen(target: string | URL): DatabaseSync {
  const database = new DatabaseSync(target, { readOnly: true, timeout: 5_000 });
  try {
    database.prepare('SELECT count(*) FROM sqlite_schema').get();
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
