import type { DatabaseSync } from 'node:sqlite';
import { EXIT } from '../exit.ts';
import { Failure } from '../failure.ts';

/**
 * What leads from one schema to the next. The schema's number is how many of them were applied; SQLite keeps
 * it as `user_version`. One that was released is never changed: a new one is added.
 *
 * Times are whole numbers since 1970: milliseconds, but for `usage.at` in microseconds and `usage_hour.hour` in
 * hours. Money is in nano-dollars (usage/money.ts).
 */
export const MIGRATIONS: readonly string[] = [
  `CREATE TABLE client_key (
     id TEXT PRIMARY KEY,
     name TEXT NOT NULL,
     scopes TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     expires_at INTEGER,
     revoked_at INTEGER,
     requests_per_minute INTEGER,
     tokens_per_minute INTEGER,
     monthly_budget INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE client_secret (
     key_id TEXT NOT NULL REFERENCES client_key (id),
     hash BLOB NOT NULL,
     expires_at INTEGER,
     PRIMARY KEY (key_id, hash)
   ) STRICT, WITHOUT ROWID;`,

  // Rows are in order of time, so that a range of it needs no index: each one would double the time of a write.
  `CREATE TABLE usage (
     at INTEGER PRIMARY KEY,
     request_id TEXT NOT NULL,
     key_id TEXT NOT NULL,
     endpoint TEXT NOT NULL,
     model TEXT NOT NULL,
     provider TEXT,
     upstream_model TEXT,
     status INTEGER NOT NULL,
     streamed INTEGER NOT NULL,
     input_tokens INTEGER,
     output_tokens INTEGER,
     cached_tokens INTEGER,
     cost INTEGER,
     measured TEXT NOT NULL,
     ms INTEGER NOT NULL,
     first_byte_ms INTEGER,
     tries INTEGER NOT NULL
   ) STRICT;
   CREATE TABLE usage_hour (
     key_id TEXT NOT NULL,
     hour INTEGER NOT NULL,
     model TEXT NOT NULL,
     requests INTEGER NOT NULL,
     errors INTEGER NOT NULL,
     input_tokens INTEGER NOT NULL,
     output_tokens INTEGER NOT NULL,
     cached_tokens INTEGER NOT NULL,
     cost INTEGER NOT NULL,
     unpriced INTEGER NOT NULL,
     ms INTEGER NOT NULL,
     PRIMARY KEY (key_id, hour, model)
   ) STRICT, WITHOUT ROWID;`,
];

/** The schema that this program reads and writes. */
export const SCHEMA = MIGRATIONS.length;

/** The schema of a database; 0 of an empty one. */
export function schemaOf(database: DatabaseSync): number {
  return Number(database.prepare('PRAGMA user_version').get()?.user_version);
}

/**
 * Brings a database to this program's schema, each step as a transaction of its own: cut off anywhere, the next
 * start goes on from there. Two programs that begin at the same time wait for each other.
 *
 * @throws Failure with exit code 65 where it is of a newer Thoth
 */
export function migrate(database: DatabaseSync): void {
  for (;;) {
    const known = schemaOf(database);
    if (known > SCHEMA) throw newer(known);
    if (known === SCHEMA) return;
    database.exec('BEGIN IMMEDIATE');
    try {
      const schema = schemaOf(database); // another program may have been quicker
      const step = MIGRATIONS[schema];
      if (step !== undefined) database.exec(`${step}\nPRAGMA user_version = ${schema + 1}`);
      database.exec('COMMIT');
    } catch (error) {
      if (database.isTransaction) database.exec('ROLLBACK');
      throw error;
    }
  }
}

/** The failure for data of a newer Thoth. Nothing was changed. */
export function newer(schema: number): Failure {
  return new Failure(EXIT.data, 'The data is of a newer Thoth.', [
    {
      subject: 'DATA_DIR',
      problem: `its schema is ${schema}, and this version knows up to ${SCHEMA}`,
      fix: 'Run the newer version again, or restore a backup that this version made.',
    },
  ]);
}
