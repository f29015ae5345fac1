import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { Policy, Start } from '../config/config.ts';
import { ReleaseError } from '../errors.ts';
import { Digest, type PlatformImage } from '../image/layout.ts';
import type { Runner } from './runner/runner.ts';

/** That a platform was started, and answered: `digest` is its manifest's. */
export const StartEvidence = z.object({
  platform: z.string(),
  digest: Digest,
  /** From the start of the program to the first answer that it is healthy; emulation included. */
  seconds: z.number().nonnegative(),
  runner: z.string(),
});
export type StartEvidence = z.infer<typeof StartEvidence>;

type Expected = Pick<Start, 'status' | 'body' | 'seconds'>;

const PAUSE_MS = 50;
const ANSWER_MS = 3_000;

/**
 * Starts one platform, waits until it answers as it should, runs its HEALTHCHECK, and stops it.
 *
 * @param options.healthcheck what the policy asks for: where it is `false`, none is run
 * @throws ReleaseError START_FAILED with the last lines it printed; INTERRUPTED
 */
export async function startPlatform(
  runner: Runner,
  layout: string,
  image: PlatformImage,
  options: { start: Start; healthcheck: Policy['healthcheck']; signal?: AbortSignal | undefined },
): Promise<StartEvidence> {
  const { start, signal } = options;
  const running = await runner.start(layout, image, start, signal);
  try {
    const begun = performance.now();
    const { ended, output } = running;
    await waitForHealth(`${running.url}${start.path}`, image.platform, start, { signal, ended, output });
    const seconds = Math.round(performance.now() - begun) / 1_000;
    const health = options.healthcheck === false ? 0 : await running.healthcheck();
    if (health !== 0) {
      const why = `its HEALTHCHECK exits ${health} though ${start.path} answers ${start.status}`;
      throw startFailed(image.platform, why, output());
    }
    return { platform: image.platform, digest: image.digest, seconds, runner: runner.name };
  } finally {
    await running.stop();
  }
}

/**
 * Waits for the right answer at `url`; a redirect is not followed, since it may lead to another program.
 *
 * @param expected status and text of that answer, and how long it may take
 * @param options.ended the exit code of the program, when it ends; what it fails with goes through
 * @throws ReleaseError START_FAILED after that time, or as soon as the program ends; INTERRUPTED
 */
export async function waitForHealth(
  url: string,
  platform: string,
  expected: Expected,
  options: { signal?: AbortSignal | undefined; ended?: Promise<number>; output?: () => string } = {},
): Promise<void> {
  const { signal, ended, output = () => '' } = options;
  const { status, seconds } = expected;
  const over = new AbortController();
  const limit = AbortSignal.any([
    over.signal,
    AbortSignal.timeout(seconds * 1_000),
    ...(signal === undefined ? [] : [signal]),
  ]);
  const early = ended?.then((code) => {
    throw startFailed(platform, `it ended with exit code ${code} before it was healthy`, output());
  });
  try {
    const problem = await Promise.race([
      askUntil(limit, url, expected),
      ...(early === undefined ? [] : [early]),
    ]);
    if (signal?.aborted === true) throw interruption(platform);
    if (problem === undefined) return;
    throw startFailed(platform, `${url} did not answer ${status} within ${seconds} s (${problem})`, output());
  } finally {
    over.abort();
  }
}

/** Asks again and again. @returns the last problem at the limit, `undefined` after the right answer */
async function askUntil(limit: AbortSignal, url: string, expected: Expected): Promise<string | undefined> {
  let problem: string | undefined = 'no answer';
  while (!limit.aborted) {
    const answer = await ask(limit, url, expected);
    if (!limit.aborted) problem = answer;
    if (problem === undefined) return undefined;
    await sleep(PAUSE_MS, undefined, { signal: limit }).catch(() => undefined);
  }
  return problem;
}

/** Asks once. @returns what is wrong, `undefined` after the right answer */
async function ask(limit: AbortSignal, url: string, expected: Expected): Promise<string | undefined> {
  try {
    const signal = AbortSignal.any([limit, AbortSignal.timeout(ANSWER_MS)]);
    const response = await fetch(url, { signal, redirect: 'manual' });
    const { status, body } = expected;
    // An answer whose text nobody asks for may have no end.
    const text = body === undefined ? await response.body?.cancel() : await response.text();
    if (response.status !== status) return `status ${response.status}`;
    return body === undefined || text?.includes(body) === true ? undefined : `no "${body}" in the answer`;
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
