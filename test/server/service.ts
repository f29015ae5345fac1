import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as after } from 'node:timers/promises';

/** The Node under test; another than the tests' own can be named, such as the image's. */
const NODE = process.env.THOTH_TEST_NODE ?? process.execPath;
const HANG_MS = 20_000;

type Environment = Readonly<Record<string, string>>;

/** A process of `thoth` with nothing but `environment` as its environment. */
export class Service {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly #closed: Promise<unknown>;

  /** @param user the numeric id of another user to run as */
  constructor(file: string, args: readonly string[], environment: Environment, user?: number) {
    this.process = spawn(NODE, [file, ...args], {
      env: { ...environment },
      ...(user === undefined ? {} : { uid: user, gid: user }),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#closed = once(this.process, 'close');
    this.process.stdout?.on('data', (chunk) => {
      this.stdout += String(chunk);
    });
    this.process.stderr?.on('data', (chunk) => {
      this.stderr += String(chunk);
    });
  }

  /** Its log lines so far. */
  lines(): Record<string, unknown>[] {
    const whole = this.stdout.split('\n').slice(0, -1);
    return whole.map((line) => JSON.parse(line) as Record<string, unknown>);
  }

  /** Resolves when a line with this message is logged. */
  async logged(message: string): Promise<Record<string, unknown>> {
    return await this.#unlessStuck(`no line "${message}"`, async (signal) => {
      while (!signal.aborted) {
        const line = this.lines().find(({ msg }) => msg === message);
        if (line !== undefined) return line;
        if (this.process.exitCode !== null) throw new Error(`it ended: ${this.stderr}${this.stdout}`);
        await after(10);
      }
      return {};
    });
  }

  /** Its exit code, or the signal that ended it, when all its output is in. */
  async ended(): Promise<number | string> {
    return await this.#unlessStuck('it did not end', async () => {
      await this.#closed;
      return this.process.exitCode ?? this.process.signalCode ?? 'unknown';
    });
  }

  /** For the end of a test, whatever happened in it. */
  kill(): void {
    this.process.kill('SIGKILL');
  }

  async #unlessStuck<T>(problem: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const waiting = new AbortController();
    const stuck = after(HANG_MS, undefined, { signal: waiting.signal }).then(() => {
      throw new Error(`${problem} within ${HANG_MS} ms: ${this.stderr}${this.stdout}`);
    });
    try {
      return await Promise.race([work(waiting.signal), stuck]);
    } finally {
      waiting.abort();
      stuck.catch(() => undefined);
    }
  }
}
