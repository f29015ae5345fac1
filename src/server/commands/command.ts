import type { ExitCode } from '../exit.ts';

/** What was typed after a command's name. */
export interface Input {
  readonly args: readonly string[];
  /** Whether the result is to be one JSON object. */
  readonly json: boolean;
  /** The value of `--name`, where it was given. */
  text(name: string): string | undefined;
  /** Whether `--name` was given. */
  has(name: string): boolean;
}

/** A command of `thoth`. Each is loaded only when it is called, so that a health check loads no server. */
export interface Command {
  /** @returns the process's exit code; @throws Failure */
  run(input: Input): Promise<ExitCode>;
}

/** Prints a result: as JSON where that was asked for, else as text, which ends its lines itself. */
export function print({ json }: Input, value: object, text: string): void {
  process.stdout.write(json ? `${JSON.stringify(value)}\n` : text);
}
