import type { ExitCode } from '../exit.ts';

/** A command of `thoth`. Each is loaded only when it is called, so that a health check loads no server. */
export interface Command {
  /** @param args what follows the command's name; @returns the process's exit code */
  run(args: readonly string[]): Promise<ExitCode>;
}
