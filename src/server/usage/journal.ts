import { closeSync, constants, fdatasync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { COLUMNS, Entry } from './entry.ts';

const FILE = 'usage.journal';
/** Where the database can't be written for that long, the rest is kept in memory alone. */
const LARGEST_BYTES = 64 * 1024 * 1024;

/** The file, below the store's directory, of what is recorded and not in the database yet. */
export function journalFile(directory: string): string {
  return join(directory, FILE);
}

/**
 * A line for each request that ended, written before its answer's end is sent. It takes some microseconds, so that
 * the database is written in batches and yet the end of the process, however it comes, loses nothing. What the
 * database has is taken out again.
 *
 * A line is the columns of an `Entry` as a JSON array.
 */
export class Journal {
  readonly #directory: string;
  #file: number | undefined;
  #bytes = 0;
  #left: readonly Entry[] = [];

  /** @param directory the store's, which must be there when the first line is written */
  constructor(directory: string) {
    this.#directory = directory;
  }

  /** @throws an error of the file system's; the journal is then as it was */
  append(entry: Entry): void {
    const line = Buffer.from(`${JSON.stringify(COLUMNS.map((column) => entry[column]))}\n`);
    if (this.#bytes + line.length > LARGEST_BYTES) return;
    const file = this.#open();
    try {
      const written = writeSync(file, line, 0, line.length, this.#bytes);
      if (written < line.length) throw Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
      this.#bytes += written;
    } catch (error) {
      ftruncateSync(file, this.#bytes);
      throw error;
    }
  }

  /** What an earlier process left. A last line that was cut off is left out: its answer was not sent. */
  left(): readonly Entry[] {
    this.#open();
    return this.#left;
  }

  /** Empties it, when all of it is in the database. */
  clear(): void {
    this.#left = [];
    if (this.#bytes > 0) ftruncateSync(this.#open(), 0);
    this.#bytes = 0;
  }

  /** Waits until it is on the disk, off the main thread. */
  async sync(): Promise<void> {
    if (this.#file !== undefined && this.#bytes > 0) await promisify(fdatasync)(this.#file);
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file);
    this.#file = undefined;
  }

  #open(): number {
    if (this.#file !== undefined) return this.#file;
    const file = openSync(journalFile(this.#directory), constants.O_RDWR | constants.O_CREAT, 0o600);
    const text = readFileSync(file);
    const whole = text.subarray(0, text.lastIndexOf('\n') + 1);
    this.#left = whole.toString().split('\n').flatMap(entryOf);
    this.#bytes = whole.length;
    this.#file = file;
    return file;
  }
}

function entryOf(line: string): Entry[] {
  try {
    const values: unknown = JSON.parse(line);
    if (!Array.isArray(values)) return [];
    const entry = Entry.safeParse(
      Object.fromEntries(COLUMNS.map((column, index) => [column, values[index]])),
    );
    return entry.success ? [entry.data] : [];
  } catch {
    return [];
  }
}
