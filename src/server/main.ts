import { isBuiltin } from 'node:module';
import type { Command } from './commands/command.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { Failure } from './failure.ts';

interface Entry {
  readonly summary: string;
  /** The options it takes, each with its explanation. */
  readonly options: Readonly<Record<string, string>>;
  readonly load: () => Promise<Command>;
}

/** Every command of `thoth`, in the order of its help. */
const COMMANDS: Readonly<Record<string, Entry>> = {
  serve: {
    summary: 'Run the service (default).',
    options: {},
    load: async () => (await import('./commands/serve.ts')).serve,
  },
  healthcheck: {
    summary: 'Ask the running service for /health: exit code 0 if it answers 200 within 2 seconds, else 1.',
    options: {},
    load: async () => (await import('./commands/healthcheck.ts')).healthcheck,
  },
  version: {
    summary: 'Print the version, the commit and the Node that runs it.',
    options: { '--json': 'Print it as one JSON object.' },
    load: async () => (await import('./commands/version.ts')).version,
  },
};

const HELP_FLAGS = new Set(['--help', '-h']);

/**
 * Runs `thoth`.
 *
 * @param args the command line after the program's name
 * @throws Failure where the command line or a setting is wrong
 */
async function main(args: readonly string[]): Promise<ExitCode> {
  const [first = 'serve', ...rest] = args;
  if (HELP_FLAGS.has(first) || first === 'help') return print(help());
  const name = first === '--version' ? 'version' : first;
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (entry === undefined) throw usage('there is no such command', 'thoth');
  if (rest.some((arg) => HELP_FLAGS.has(arg))) return print(commandHelp(name, entry));
  if (rest.some((arg) => !Object.hasOwn(entry.options, arg))) {
    throw usage('it does not take one of these arguments', `thoth ${name}`);
  }
  requireNode();
  return (await entry.load()).run(rest);
}

/** The store is node:sqlite, which older ones have not, or behind a flag. The image has Node 24. */
function requireNode(): void {
  if (isBuiltin('node:sqlite')) return;
  const problem = `this is ${process.versions.node}, and Thoth needs 22.13 or newer`;
  const fix =
    'Install Node 24, or run it with the one that "tools/install.sh node" makes: .thoth/tools/bin/node24.';
  throw new Failure(EXIT.failed, 'Node.js is too old.', [{ subject: 'Node.js', problem, fix }]);
}

function help(): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(13)}${summary}\n`);
  return `Usage: thoth [COMMAND]\n\n${rows.join('')}\n"thoth COMMAND --help" has more. Settings are environment variables: docs/SETTINGS.md.\n`;
}

function commandHelp(name: string, { summary, options }: Entry): string {
  const rows = Object.entries({ ...options, '--help': 'Print this.' });
  return `Usage: thoth ${name} [OPTIONS]\n\n${summary}\n\n${rows
    .map(([option, text]) => `  ${option.padEnd(10)}${text}\n`)
    .join('')}`;
}

function print(text: string): ExitCode {
  process.stdout.write(text);
  return EXIT.done;
}

// What was typed is not repeated: it may hold a key by mistake.
function usage(problem: string, subject: string): Failure {
  const fix = `Run "${subject} --help" for what there is.`;
  return new Failure(EXIT.usage, 'The command line is wrong.', [{ subject, problem, fix }]);
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    if (error instanceof Failure) {
      process.stderr.write(error.describe());
      process.exit(error.exitCode);
    }
    process.stderr.write(`thoth: a bug. ${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(EXIT.failed);
  },
);
