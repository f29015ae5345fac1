import type { Fault } from './failure.ts';

/** One condition of serving requests: what is missing, or nothing. */
export type ReadinessCheck = () => Promise<Fault | undefined> | Fault | undefined;

/** What the service is missing to be of use; empty where it is ready. */
export async function missing(checks: readonly ReadinessCheck[]): Promise<Fault[]> {
  const found = await Promise.all(checks.map((check) => check()));
  return found.filter((fault) => fault !== undefined);
}
