import { stat } from 'node:fs/promises';
import { PROVIDER_KEYS } from './schema.ts';

const LOOK_EVERY_MS = 5_000;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Calls `reload` on SIGHUP, and within seconds of a change of a file that holds a provider's key. Files are looked
 * at and not listened to: Kubernetes and Docker change secrets by swapping links and mounts.
 *
 * @returns what ends it
 */
export function watchKeys(
  environment: Environment,
  reload: () => void,
  lookEveryMs = LOOK_EVERY_MS,
): () => void {
  const files = PROVIDER_KEYS.map((name) => environment[`${name}_FILE`]?.trim()).filter((path) => !!path);
  let seen: string | undefined;
  let isLooking = false; // a disk that hangs gets no second look: each would hold a thread of Node's
  const look = async () => {
    if (isLooking) return;
    isLooking = true;
    const now = (await Promise.all(files.map((path) => traceOf(path ?? '')))).join();
    isLooking = false;
    if (seen !== undefined && seen !== now) reload();
    seen = now;
  };
  const timer = setInterval(look, lookEveryMs).unref();
  void look();
  process.on('SIGHUP', reload);
  return () => {
    clearInterval(timer);
    process.off('SIGHUP', reload);
  };
}

/** What changes with a file's content. */
async function traceOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino, dev } = await stat(path);
    return `${dev}:${ino}:${size}:${mtimeMs}`;
  } catch {
    return 'unreadable';
  }
}
