import type { Fault } from './failure.ts';
import { PROVIDER_KEYS, type Settings } from './settings/schema.ts';

/** One condition of serving requests: what is missing, or nothing. */
export type ReadinessCheck = () => Promise<Fault | undefined> | Fault | undefined;

/** What the service is missing to be of use; empty where it is ready. */
export async function missing(checks: readonly ReadinessCheck[]): Promise<Fault[]> {
  const found = await Promise.all(checks.map((check) => check()));
  return found.filter((fault) => fault !== undefined);
}

/** At least one provider key must be given. */
export function providerKeyCheck(settings: Settings): ReadinessCheck {
  const given = PROVIDER_KEYS.some((name) => settings[name] !== undefined);
  return () =>
    given
      ? undefined
      : {
          subject: PROVIDER_KEYS.join(', '),
          problem: 'no provider key is given',
          fix: 'Set at least one of them, or its *_FILE, and restart.',
        };
}
