import { constants } from 'node:os';
import { type Argument, Command, CommanderError, Option } from 'commander';
import { COMMANDS, COMMON, type Entry } from './commands/catalogue.ts';
import type { Flags } from './commands/context.ts';
import { EXIT, MEANING } from './errors.ts';

const EXIT_CODES = Object.entries(MEANING).map(([code, meaning]) => `  ${code.padEnd(5)}${meaning}\n`);
const AFTER = `
Exit codes:
${EXIT_CODES.join('')}
Settings are options, or environment variables: docs/RELEASING.md. "thoth-release help <command>" has more of a command.`;

/** Runs thoth-release. @returns the exit code */
async function main(argv: readonly string[]): Promise<number> {
  const program = new Command('thoth-release')
    .description('Takes a git tag to a verified multi-arch image release.')
    .usage('[command] [options]')
    .addHelpText('after', AFTER)
    .exitOverride()
    // As the help of `thoth`: a command with its arguments; that all have options goes without saying.
    .configureHelp({
      showGlobalOptions: false,
      visibleCommands: ({ commands }) => [...commands],
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map(argumentTerm)].join(' '),
    });
  for (const entry of COMMANDS) program.addCommand(commandOf(entry));
  try {
    await program.parseAsync(argv, { from: 'user' });
    return Number(process.exitCode ?? EXIT.done);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.badInput;
    const { describeFailure } = await import('./machine/failure.ts');
    const { text, exitCode } = describeFailure(error, argv.includes('--json'));
    process.stderr.write(text);
    return exitCode;
  }
}

function argumentTerm(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

function commandOf({ usage, summary, options, required = [], examples, load }: Entry): Command {
  const command = new Command(usage.split(' ')[0]).description(summary).exitOverride();
  for (const argument of usage.split(' ').slice(1)) command.argument(argument);
  for (const [flags, description] of options) {
    const option = new Option(flags, description);
    command.addOption(option.makeOptionMandatory(required.includes(option.attributeName())));
  }
  for (const [flags, description] of COMMON) command.option(flags, description);
  command
    .addHelpText('after', `\nExamples:\n${examples.map((line) => `  thoth-release ${line}`).join('\n')}`)
    .action(async () => {
      const [{ run }, { createContext }] = await Promise.all([load(), import('./commands/context.ts')]);
      const flags = command.opts() as Flags;
      await run(createContext(flags, process.env, interruption()), command.args, flags);
    });
  return command;
}

/**
 * Aborts at the first signal, so that every child ends and every lock is released. A second one ends this
 * process at once, and its children with it.
 */
function interruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(128 + constants.signals[signal]);
      controller.abort();
    });
  }
  return controller.signal;
}

process.exitCode = await main(process.argv.slice(2));
