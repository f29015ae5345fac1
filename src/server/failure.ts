import { EXIT, type ExitCode } from './exit.ts';

/** One thing that is wrong and what to do about it. Neither sentence may hold a value that was given. */
export interface Fault {
  /** The setting, command or thing at fault. */
  readonly subject: string;
  readonly problem: string;
  readonly fix: string;
}

/** A failure that the operator can act on. Anything else that is thrown is a bug. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exitCode: ExitCode;
  readonly faults: readonly Fault[];

  constructor(exitCode: ExitCode, message: string, faults: readonly Fault[]) {
    super(message);
    this.exitCode = exitCode;
    this.faults = faults;
  }

  /**
   * The text for standard error: the message, then each fault and its fix, without a stack trace.
   *
   * @param json as one line of JSON
   */
  describe(json = false): string {
    if (json) {
      const { exitCode, message, faults } = this;
      return `${JSON.stringify({ error: { exitCode, message, faults } })}\n`;
    }
    const faults = this.faults.map(
      ({ subject, problem, fix }) => `  ${subject}: ${problem}\n    Fix: ${fix}\n`,
    );
    return `thoth: ${this.message}\n${faults.join('')}`;
  }
}

/** The failure for a command line that is wrong. @param subject whose help to look up */
export function usageFailure(problem: string, subject: string): Failure {
  const fix = `Run "${subject} --help" for what there is.`;
  return new Failure(EXIT.usage, 'The command line is wrong.', [{ subject, problem, fix }]);
}
