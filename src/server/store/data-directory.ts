import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import type { Fault } from '../failure.ts';
import { directoryFault, fileProblem } from './sqlite-fault.ts';

const PROBE = '.thoth-write-check';
const ANSWER_WITHIN_MS = 2_000;
const KEEP_MS = 1_000;

/** The directory for what has to survive a restart, and whether it can be written at the moment. */
export class DataDirectory {
  readonly path: string;
  #last: { readonly fault: Promise<Fault | undefined>; readonly at: number } | undefined;
  /** The write under way. A disk that hangs gets no second one: each would hold a thread of Node's. */
  #write: Promise<string | undefined> | undefined;

  constructor(path: string) {
    this.path = path;
  }

  /**
   * What is wrong with the directory, or nothing. Writes a byte to find out: permissions alone do not show
   * a full or read-only disk. An answer is kept for a second, so that callers can't make it write more.
   */
  check(): Promise<Fault | undefined> {
    const now = performance.now();
    if (this.#last === undefined || now - this.#last.at > KEEP_MS) {
      this.#last = { fault: this.#probe(), at: now };
    }
    return this.#last.fault;
  }

  async #probe(): Promise<Fault | undefined> {
    const waiting = new AbortController();
    const late = after(ANSWER_WITHIN_MS, `did not answer within ${ANSWER_WITHIN_MS / 1000} seconds`, {
      signal: waiting.signal,
      ref: false,
    });
    late.catch(() => undefined); // it is cancelled below
    this.#write ??= write(join(this.path, PROBE)).finally(() => {
      this.#write = undefined;
    });
    const problem = await Promise.race([this.#write, late]);
    waiting.abort();
    return problem === undefined ? undefined : directoryFault(problem);
  }
}

async function write(file: string): Promise<string | undefined> {
  try {
    await writeFile(file, '\n');
    await rm(file, { force: true });
    return undefined;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    return fileProblem(code);
  }
}
