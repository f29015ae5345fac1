import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { Digest, type PlatformImage } from '../image/layout.ts';
import type { Runner } from './runner/runner.ts';

/** That a platform was started, and answered: `digest` is its manifest's. */
export const StartEvidence = z.object({
  platform: z.string(),
  digest: Digest,
  /** From the start of the program to the first 200 of `/health`; emulation included. */
  seconds: z.number().nonnegative(),
  runner: z.string(),
});
export type StartEvidence = z.infer<typeof StartEvidence>;

const PAUSE_MS = 50;
const ANSWER_MS = 3_000;
/** Emulated platforms on a small machine are slow; the plan's own limit for a start is 30 s. */
const LIMIT_MS = 30_000;

/**
 * Starts one platform, waits until `/health` answers 200, runs its HEALTHCHECK, and stops it.
 *
 * @throws ReleaseError START_FAILED with the last lines it printed; INTERRUPTED
 */
export async function startPlatform(
  runner: Runner,
  layout: string,
  image: PlatformImage,
  options: { healthPath: string; signal?: AbortSignal | undefined },
): Promise<StartEvidence> {
  const running = await runner.start(layout, image, options.signal);
  try {
    const begun = performance.now();
    const { ended, output } = running;
    await waitForHealth(`${running.url}${options.healthPath}`, image.platform, {
      signal: options.signal,
      ended,
      output,
    });
    const seconds = Math.round(performance.now() - begun) / 1_000;
    const health = await running.healthcheck();
    if (health !== 0) {
      const why = `its HEALTHCHECK exits ${health} though ${options.healthPath} answers 200`;
      throw startFailed(image.platform, why, output());
    }
    return { platform: image.platform, digest: image.digest, seconds, runner: runner.name };
  } finally {
    await running.stop();
  }
}

/**
 * Waits for 200 at `url`; a redirect is not followed, since it may lead to another program.
 *
 * @param options.ended the exit code of the program, when it ends; what it fails with goes through
 * @throws ReleaseError START_FAILED after 30 seconds, or as soon as the program ends; INTERRUPTED
 */
export async function waitForHealth(
  url: string,
  platform: string,
  options: {
    signal?: AbortSignal | undefined;
    ended?: Promise<number>;
    output?: () => string;
    limitMs?: number;
  } = {},
): Promise<void> {
  const { signal, ended, output = () => '', limitMs = LIMIT_MS } = options;
  const over = new AbortController();
  const limit = AbortSignal.any([
    over.signal,
    AbortSignal.timeout(limitMs),
    ...(signal === undefined ? [] : [signal]),
  ]);
  const early = ended?.then((code) => {
    throw startFailed(platform, `it ended with exit code ${code} before it was healthy`, output());
  });
  try {
    const problem = await Promise.race([askUntil(limit, url), ...(early === undefined ? [] : [early])]);
    if (signal?.aborted === true) throw interruption(platform);
    if (problem === undefined) return;
    throw startFailed(
      platform,
      `${url} did not answer 200 within ${limitMs / 1_000} s (${problem})`,
      output(),
    );
  } finally {
    over.abort();
  }
}

/** Asks again and again. @returns the last problem at the limit, `undefined` after a 200 */
async function askUntil(limit: AbortSignal, url: string): Promise<string | undefined> {
  let problem: string | undefined = 'no answer';
  while (!limit.aborted) {
    const answer = await ask(limit, url);
    if (!limit.aborted) problem = answer;
    if (problem === undefined) return undefined;
    await sleep(PAUSE_MS, undefined, { signal: limit }).catch(() => undefined);
  }
  return problem;
}

/** Asks once. @returns what is wrong, `undefined` after a 200 */
async function ask(limit: AbortSignal, url: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.any([limit, AbortSignal.timeout(ANSWER_MS)]);
    const response = await fetch(url, { signal, redirect: 'manual' });
    await response.body?.cancel();
    return response.status === 200 ? undefined : `status ${response.status}`;
  } catch (error) {
    const { name, message, cause } = error as Error & { cause?: NodeJS.ErrnoException };
    return name === 'TimeoutError' ? 'no answer' : (cause?.code ?? message);
  }
}

function interruption(platform: string): ReleaseError {
  return new ReleaseError(
    'INTERRUPTED',
    `Interrupted while ${platform} started.`,
    'Run the same command again: it goes on from where it stopped.',
  );
}

function startFailed(platform: string, why: string, output: string): ReleaseError {
  return new ReleaseError(
    'START_FAILED',
    `${platform} does not start: ${why}.`,
    'Nothing was pushed. The lines it printed say why; mend the image and build it again.',
    output
      .trim()
      .split('\n')
      .filter((line) => line !== '')
      .slice(-15),
  );
}
