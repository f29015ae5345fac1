import { setTimeout as sleep } from 'node:timers/promises';

const LIMIT_MS = 60_000;

/** Tries until it does not throw. @throws what the last try did, after a minute */
export async function waitFor<T>(attempt: () => Promise<T>): Promise<T> {
  for (const limit = Date.now() + LIMIT_MS; ; await sleep(200)) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > limit) throw error;
    }
  }
}
