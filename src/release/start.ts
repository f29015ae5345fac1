import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { ReleaseError } from './errors.ts';
import { Digest, type PlatformImage } from './layout.ts';
import type { Runner } from './runner/runner.ts';

/** That a platform was started, and answered: `digest` is its manifest's. */
export const StartEvidence = z.object({
  platform: z.string(),
  digest: Digest,
  /** From calling the runner to the first 200 of `/health`; emulation included. */
  seconds: z.number().nonnegative(),
  runner: z.string(),
});
export type StartEvidence = z.infer<typeof StartEvidence>;

const PAUSE_MS = 50;
/** Emulated platforms on a small machine are slow; the plan's own limit for a start is 30 s. */
const LIMIT_MS = 30_000;

/**
 * Starts one platform, waits until `/health` answers 200, runs its HEALTHCHECK, and stops it.
 *
 * @throws ReleaseError START_FAILED with the last lines it printed.
 */
export async function startPlatform(
  runner: Runner,
  layout: string,
  image: PlatformImage,
  options: { healthPath: string; signal?: AbortSignal | undefined },
): Promise<StartEvidence> {
  const running = await runner.start(layout, image, options.signal);
  try {
    let exit: number | undefined;
    running.ended.then((code) => {
      exit = code;
    });
    const begun = performance.now();
    await waitForHealth(`${running.url}${options.healthPath}`, image.platform, {
      signal: options.signal,
      ended: () => exit,
      output: running.output,
    });
    const seconds = Math.round(performance.now() - begun) / 1_000;
    const health = await running.healthcheck();
    if (health !== 0)
      throw startFailed(
        image.platform,
        `its HEALTHCHECK exits ${health} though ${options.healthPath} answers 200`,
        running.output(),
      );
    return { platform: image.platform, digest: image.digest, seconds, runner: runner.name };
  } finally {
    await running.stop();
  }
}

/**
 * Waits for 200 at `url`.
 *
 * @throws ReleaseError START_FAILED after 30 seconds, or as soon as `ended()` gives an exit code.
 */
export async function waitForHealth(
  url: string,
  platform: string,
  options: {
    signal?: AbortSignal | undefined;
    ended?: () => number | undefined;
    output?: () => string;
    limitMs?: number;
  } = {},
): Promise<void> {
  const output = options.output ?? (() => '');
  const limit = performance.now() + (options.limitMs ?? LIMIT_MS);
  let last = 'no answer';
  while (performance.now() < limit) {
    options.signal?.throwIfAborted();
    const exit = options.ended?.();
    if (exit !== undefined)
      throw startFailed(platform, `it ended with exit code ${exit} before it was healthy`, output());
    try {
      const response = await fetch(url, { signal: AbortSignal.timeout(3_000) });
      await response.body?.cancel();
      if (response.status === 200) return;
      last = `status ${response.status}`;
    } catch (error) {
      last =
        error instanceof Error
          ? String((error.cause as NodeJS.ErrnoException | undefined)?.code ?? error.message)
          : String(error);
    }
    await sleep(PAUSE_MS);
  }
  throw startFailed(
    platform,
    `${url} did not answer 200 within ${(options.limitMs ?? LIMIT_MS) / 1_000} s (${last})`,
    output(),
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
