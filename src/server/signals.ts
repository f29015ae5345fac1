import { constants } from 'node:os';

const STOPPING = ['SIGTERM', 'SIGINT'] as const;
export type StopSignal = (typeof STOPPING)[number];

/**
 * Listens for SIGTERM and SIGINT from now on. As process 1 of a container that is needed for them to have
 * any effect: the kernel gives process 1 no default action.
 *
 * @returns the first signal; a second one ends the process at once, with exit code 128 + its number
 */
export function firstStopSignal(): Promise<StopSignal> {
  return new Promise((resolve) => {
    let stopping = false;
    for (const signal of STOPPING) {
      process.on(signal, () => {
        if (stopping) process.exit(128 + constants.signals[signal]);
        stopping = true;
        resolve(signal);
      });
    }
  });
}
