/**
 * Every way a release can fail, as a closed catalogue.
 *
 * An error carries a stable `code`, one sentence that says what is wrong (`message`) and what to do next
 * (`remedy`). The exit code follows from the code, so a script can act on it without reading the text.
 */

/** Exit codes of `thoth-release`; documented in docs/RELEASING.md. */
export const EXIT = {
  done: 0,
  bug: 1,
  badInput: 2,
  scanGate: 3,
  imagePolicy: 4,
  network: 5,
  refused: 6,
  scanData: 7,
} as const;

/** The meaning of each exit code, as `thoth-release --help` has it. */
export const MEANING: Readonly<Record<(typeof EXIT)[keyof typeof EXIT] | 130, string>> = {
  0: 'Done.',
  1: 'A bug: the only case with a stack trace.',
  2: 'Bad input, or something it needs is missing.',
  3: 'The scan gate is closed.',
  4: 'The image breaks the image policy, or a platform does not start.',
  5: 'The registry, the network or what signs failed.',
  6: 'Refused: immutable tag, stale plan, or the registry holds something else.',
  7: 'Scan data is missing or too old.',
  130: 'Interrupted.',
};

/** Which exit code each error code ends with. */
export const CATALOGUE = {
  VERSION_INVALID: EXIT.badInput,
  VERSION_EXISTS: EXIT.refused,
  USAGE: EXIT.badInput,
  SETTING_INVALID: EXIT.badInput,
  CONFIG_INVALID: EXIT.badInput,
  GIT_MISSING: EXIT.badInput,
  GIT_NO_HISTORY: EXIT.badInput,
  GIT_DIRTY: EXIT.badInput,
  GIT_FAILED: EXIT.badInput,
  TOOL_MISSING: EXIT.badInput,
  NO_BUILDER: EXIT.badInput,
  NO_RUNNER: EXIT.badInput,
  BUILD_FAILED: EXIT.badInput,
  START_FAILED: EXIT.imagePolicy,
  LAYOUT_INVALID: EXIT.badInput,
  LAYOUT_CORRUPT: EXIT.refused,
  CHART_INVALID: EXIT.badInput,
  PORT_IN_USE: EXIT.badInput,
  DISK: EXIT.badInput,
  IMAGE_POLICY: EXIT.imagePolicy,
  SCAN_GATE: EXIT.scanGate,
  SCAN_FAILED: EXIT.scanData,
  SCAN_DATA: EXIT.scanData,
  BASE_IMAGE: EXIT.network,
  REGISTRY_UNREACHABLE: EXIT.network,
  REGISTRY_DENIED: EXIT.network,
  REGISTRY_FAILED: EXIT.network,
  SIGNER_UNKNOWN: EXIT.badInput,
  SIGN_KEY: EXIT.badInput,
  SIGN_FAILED: EXIT.network,
  VERIFY_FAILED: EXIT.refused,
  TAG_IMMUTABLE: EXIT.refused,
  PLAN_INVALID: EXIT.badInput,
  PLAN_STALE: EXIT.refused,
  JOURNAL_INVALID: EXIT.badInput,
  LOCKED: EXIT.refused,
  HUB_PAGE: EXIT.badInput,
  HUB_REPOSITORY: EXIT.badInput,
  HUB_UNREACHABLE: EXIT.network,
  HUB_DENIED: EXIT.network,
  HUB_FAILED: EXIT.network,
  GITHUB_UNREACHABLE: EXIT.network,
  GITHUB_DENIED: EXIT.network,
  GITHUB_FAILED: EXIT.network,
  GITHUB_EARLY: EXIT.refused,
  GITHUB_TAG: EXIT.refused,
  GITHUB_ASSET: EXIT.refused,
  INTERRUPTED: 130,
} as const;

export type ErrorCode = keyof typeof CATALOGUE;

/** A failure the user can act on. Anything else that is thrown is a bug and exits 1. */
export class ReleaseError extends Error {
  override readonly name = 'ReleaseError';
  readonly code: ErrorCode;
  /** What to do next, as one or more sentences. */
  readonly remedy: string;
  /** Facts behind the message, one a line: faults, findings, the tail of a tool's output. */
  readonly details: readonly string[];

  constructor(
    code: ErrorCode,
    message: string,
    remedy: string,
    details: readonly string[] = [],
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.remedy = remedy;
    this.details = details;
  }

  get exitCode(): number {
    return CATALOGUE[this.code];
  }

  /** The shape printed with `--json`. */
  toJSON(): { error: { code: ErrorCode; message: string; remedy: string; details: readonly string[] } } {
    return { error: { code: this.code, message: this.message, remedy: this.remedy, details: this.details } };
  }
}
