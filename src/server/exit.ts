/**
 * Exit codes of `thoth` and what each means. 64 and 78 are EX_USAGE and EX_CONFIG of BSD's sysexits.h, so
 * that a supervisor can tell "restart it" (1) from "somebody has to change something" (78).
 */
export const EXIT = { done: 0, failed: 1, usage: 64, settings: 78 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The meaning of each code; docs/SETTINGS.md is generated from it. */
export const MEANING: Readonly<Record<ExitCode, string>> = {
  0: 'Done, or stopped by a signal after the requests in flight were answered or the time for them ran out.',
  1: 'Failed: the port is in use or may not be opened, `thoth healthcheck` found no healthy service, or a bug.',
  64: 'The command line is wrong.',
  78: 'Settings are wrong. Every fault is listed on standard error with its fix.',
};
