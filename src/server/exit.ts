/**
 * Exit codes of `thoth` and what each means. From 64 on they are those of BSD's sysexits.h, so that a
 * supervisor can tell "restart it" (1) from "somebody has to change something" (78).
 */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 64,
  data: 65,
  unavailable: 69,
  storage: 74,
  busy: 75,
  denied: 77,
  settings: 78,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The meaning of each code; `thoth --help` and docs/SETTINGS.md are generated from it. */
export const MEANING: Readonly<Record<ExitCode, string>> = {
  0: 'Done, or stopped by a signal after the requests in flight were answered or the time for them ran out.',
  1: 'Failed: the port is in use or may not be opened, no healthy service was found, or a bug.',
  64: 'The command line is wrong.',
  65: 'The data or the backup is damaged, or of a newer Thoth.',
  69: 'A provider can not be reached.',
  74: 'The data directory is missing, full or may not be written.',
  75: 'The data directory is in use by a running service.',
  77: 'A provider refuses its key, or the account behind it has no quota.',
  78: 'Settings are wrong. Every fault is listed on standard error with its fix.',
};
