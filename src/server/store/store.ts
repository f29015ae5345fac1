import { accessSync, closeSync, constants, existsSync, mkdirSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { EXIT } from '../exit.ts';
import { Failure, type Fault } from '../failure.ts';
import { migrate, SCHEMA, schemaOf } from './migrations.ts';
import { DATABASE, openReadOnly } from './read-only.ts';
import { type ServiceLock, takeServiceLock } from './service-lock.ts';
import { storeFailure } from './sqlite-fault.ts';
import { finishRestore, storeDirectory } from './swap.ts';

/** How long a command waits for another program's transaction. */
const BUSY_MS = 5_000;
/** The service waits less, for nothing else happens meanwhile: what could not be written is tried again. */
const SERVICE_BUSY_MS = 200;
const RETRY_MS = 1_000;

/**
 * The database of client keys and usage, opened when it is first needed. Where that fails it is tried again a
 * second later: the service starts without its volume, and goes on when it is there.
 *
 * Written with `synchronous = NORMAL`: what is committed survives the end of the process however it comes, and
 * costs no wait for the disk. Against a power cut, key changes wait for the disk (`durable`), and `sync` makes
 * the disk catch up with the rest.
 *
 * On a disk that can only be read it is opened for reading, so that keys are still accepted.
 */
export class Store {
  /** Holds the database and the key of its hashes; a restore replaces it as a whole. */
  readonly directory: string;
  readonly #dataDirectory: string;
  readonly #service: boolean;
  #lock: ServiceLock | undefined;
  #database: DatabaseSync | undefined;
  #writable = false;
  #failed: { readonly error: unknown; readonly at: number } | undefined;
  #statements = new Map<string, StatementSync>();

  /** @param service take the service's lock before anything is written; commands go without */
  constructor(dataDirectory: string, { service = false } = {}) {
    this.#dataDirectory = dataDirectory;
    this.directory = storeDirectory(dataDirectory);
    this.#service = service;
  }

  /** What keeps the store from being read, or nothing. */
  check(): Fault | undefined {
    try {
      this.read(() => this.prepare('SELECT 1 FROM client_key LIMIT 1').get());
      return undefined;
    } catch (error) {
      if (error instanceof Failure) return error.faults[0];
      throw error;
    }
  }

  /**
   * Opens it where it is not open.
   *
   * @throws Failure where the data directory, or the database in it, can not be used; so does all below
   */
  open(): void {
    this.read(() => this.database());
  }

  /** Runs what only reads. */
  read<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw storeFailure(error) ?? error;
    }
  }

  /** The database itself, for what nobody else needs. */
  database(): DatabaseSync {
    return this.#database ?? this.#open(false);
  }

  /** A statement, prepared once. */
  prepare(sql: string): StatementSync {
    const database = this.database();
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  /**
   * Runs `work`, all of it or none.
   *
   * @param durable wait until it is on the disk
   */
  transaction<T>(work: () => T, { durable = false } = {}): T {
    return this.read(() => {
      const database = this.#writable ? this.database() : this.#open(true);
      if (durable) database.exec('PRAGMA synchronous = FULL');
      try {
        database.exec('BEGIN IMMEDIATE');
        const result = work();
        database.exec('COMMIT');
        return result;
      } catch (error) {
        if (database.isTransaction) database.exec('ROLLBACK');
        throw error;
      } finally {
        if (durable) database.exec('PRAGMA synchronous = NORMAL');
      }
    });
  }

  /** Waits until all that was committed is on the disk; off the main thread, unlike a durable transaction. */
  async sync(): Promise<void> {
    const file = await open(join(this.directory, `${DATABASE}-wal`), 'r+');
    try {
      await file.datasync();
    } finally {
      await file.close();
    }
  }

  close(): void {
    this.#disconnect();
    this.#lock?.release();
    this.#lock = undefined;
  }

  #disconnect(): void {
    this.#statements.clear();
    this.#database?.close();
    this.#database = undefined;
    this.#writable = false;
  }

  #open(toWrite: boolean): DatabaseSync {
    const now = performance.now();
    if (this.#failed !== undefined && now - this.#failed.at < RETRY_MS) throw this.#failed.error;
    try {
      return this.#adopt(this.#openToWrite(), true);
    } catch (error) {
      const failure = storeFailure(error);
      this.#failed = { error: failure ?? error, at: now };
      const isDisk = failure?.exitCode === EXIT.storage;
      const readOnly = toWrite || !isDisk ? undefined : this.#openToRead();
      if (readOnly === undefined) throw failure ?? error;
      return this.#adopt(readOnly, false);
    }
  }

  #adopt(database: DatabaseSync, writable: boolean): DatabaseSync {
    this.#disconnect();
    this.#database = database;
    this.#writable = writable;
    return database;
  }

  #openToWrite(): DatabaseSync {
    accessSync(this.#dataDirectory, constants.W_OK); // says better than SQLite what is wrong
    if (this.#service) this.#lock ??= takeServiceLock(this.#dataDirectory);
    finishRestore(this.#dataDirectory);
    makeDirectory(this.directory);
    const path = join(this.directory, DATABASE);
    // SQLite gives the files beside it the same rights.
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT, 0o600));
    const database = new DatabaseSync(path, { timeout: BUSY_MS });
    try {
      prepareToWrite(database);
      if (this.#service) database.exec(`PRAGMA busy_timeout = ${SERVICE_BUSY_MS}`);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #openToRead(): DatabaseSync | undefined {
    try {
      const database = openReadOnly(this.directory);
      if (schemaOf(database) === SCHEMA) return database;
      database.close();
    } catch {
      // what kept it from being opened for writing says more
    }
    return undefined;
  }
}

/**
 * Sets a database up as the store has it, in this program's schema. What SQLite sorts it keeps in memory: the image's
 * own file system can't be written, and /tmp is small.
 */
export function prepareToWrite(database: DatabaseSync): void {
  database.exec(
    'PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY',
  );
  migrate(database);
}

/** The data directory itself is never made: where it is missing, a volume was not mounted. */
function makeDirectory(path: string): void {
  if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
}
