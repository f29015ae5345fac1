import { execa } from 'execa';
import { memory } from './memory.ts';

const SAMPLE_MS = 50;

/** One run of a program. */
export interface Measured {
  /** By the clock. */
  readonly seconds: number;
  /** Most megabytes that it and its children held, looked at every 50 ms. */
  readonly peak: number;
  readonly stdout: string;
}

/** Runs a program and measures it. @throws ExecaError where it fails, with what it printed */
export async function measure(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: Readonly<Record<string, string>>; timeout?: number } = {},
): Promise<Measured> {
  const begun = performance.now();
  const child = execa(program, args, { ...options, stdin: 'ignore', maxBuffer: 1_000_000_000 });
  let [peak, over] = [0, false];
  const sampling = (async () => {
    for (; !over; await new Promise((next) => setTimeout(next, SAMPLE_MS)))
      peak = Math.max(peak, await memory(child.pid ?? 0));
  })();
  try {
    const { stdout } = await child;
    return { seconds: (performance.now() - begun) / 1_000, peak, stdout };
  } finally {
    over = true;
    await sampling;
  }
}

/** The run in the middle of several, by its time. */
export async function median(runs: number, run: () => Promise<Measured>): Promise<Measured> {
  const all: Measured[] = [];
  for (let n = 0; n < runs; n += 1) all.push(await run());
  all.sort((a, b) => a.seconds - b.seconds);
  const middle = all[Math.floor(runs / 2)];
  if (middle === undefined) throw new Error('nothing was run');
  return middle;
}
