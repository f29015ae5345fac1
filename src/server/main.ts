import { isBuiltin } from 'node:module';
import { commandHelp, groupHelp, help } from './commands/help.ts';
import { findCommand, readInput } from './commands/input.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { Failure } from './failure.ts';

const HELP_FLAGS = new Set(['--help', '-h']);

/**
 * Runs `thoth`.
 *
 * @param words the command line after the program's name
 * @throws Failure
 */
async function main(words: readonly string[]): Promise<ExitCode> {
  const [first = 'serve', ...others] = words;
  if (HELP_FLAGS.has(first)) return say(help());
  if (first === 'help') return say(others.length === 0 ? help() : helpOn(others));
  const group = HELP_FLAGS.has(others[0] ?? '') ? groupHelp(first) : undefined;
  if (group !== undefined) return say(group);
  const [entry, rest] = findCommand(first === '--version' ? ['version', ...others] : [first, ...others]);
  if (rest.some((word) => HELP_FLAGS.has(word))) return say(commandHelp(entry));
  const input = readInput(entry, rest);
  requireNode();
  return (await entry.load()).run(input);
}

function helpOn(words: readonly string[]): string {
  const [word = '', ...others] = words;
  const group = others.length === 0 ? groupHelp(word) : undefined;
  return group ?? commandHelp(findCommand(words)[0]);
}

/** The store is node:sqlite, which older ones have not, or behind a flag. The image has Node 24. */
function requireNode(): void {
  if (isBuiltin('node:sqlite')) return;
  const problem = `this is ${process.versions.node}, and Thoth needs 22.13 or newer`;
  const fix =
    'Install Node 24, or run it with the one that "tools/install.sh node" makes: .thoth/tools/bin/node24.';
  throw new Failure(EXIT.failed, 'Node.js is too old.', [{ subject: 'Node.js', problem, fix }]);
}

function say(text: string): ExitCode {
  process.stdout.write(text);
  return EXIT.done;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof Failure) {
      process.stderr.write(error.describe(process.argv.includes('--json')));
      process.exit(error.exitCode);
    }
    process.stderr.write(`thoth: a bug. ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(EXIT.failed);
  },
);
