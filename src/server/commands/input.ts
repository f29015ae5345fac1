import { parseArgs } from 'node:util';
import { usageFailure } from '../failure.ts';
import { COMMANDS, type Entry, nameOf } from './catalogue.ts';
import type { Input } from './command.ts';

/**
 * Finds the command that a command line begins with: `keys create` before `keys`.
 *
 * @returns the command and what follows it
 * @throws Failure with exit code 64 where there is none
 */
export function findCommand(words: readonly string[]): readonly [Entry, readonly string[]] {
  for (const entry of COMMANDS) {
    const name = nameOf(entry).split(' ');
    if (name.every((word, index) => words[index] === word)) return [entry, words.slice(name.length)];
  }
  throw usageFailure('there is no such command', 'thoth');
}

/**
 * Reads what follows a command's name by its entry in the catalogue.
 *
 * @throws Failure with exit code 64. What was typed is not repeated: it may hold a key by mistake
 */
export function readInput(entry: Entry, rest: readonly string[]): Input {
  const subject = `thoth ${nameOf(entry)}`;
  const options = Object.fromEntries(
    [...entry.options.map(([flags]) => flags), '--json'].map((flags) => {
      const [name = '', value] = flags.slice(2).split(' ');
      return [name, { type: value === undefined ? ('boolean' as const) : ('string' as const) }];
    }),
  );
  const parsed = parse([...rest], options, subject);
  const { values, positionals } = parsed;
  const wanted = entry.usage.match(/<\w+>/g)?.length ?? 0;
  if (positionals.length < wanted) throw usageFailure('it needs an argument more', subject);
  if (positionals.length > wanted) throw usageFailure('it does not take one of these arguments', subject);
  return {
    args: positionals,
    json: values.json === true,
    text: (name) => (typeof values[name] === 'string' ? values[name] : undefined),
    has: (name) => values[name] === true,
  };
}

function parse(
  args: string[],
  options: Readonly<Record<string, { readonly type: 'string' | 'boolean' }>>,
  subject: string,
) {
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE') {
      throw usageFailure('an option lacks its value, or has one and takes none', subject);
    }
    throw usageFailure('it does not take one of these arguments', subject);
  }
}
