import { MEANING } from '../exit.ts';
import { COMMANDS, type Entry, nameOf } from './catalogue.ts';

const JSON_OPTION = ['--json', 'print the result, and what goes wrong, as JSON'] as const;
const WIDTH = 80;
const LEAST_ROOM = 30;
const HELP_OPTION = ['-h, --help', 'display help for command'] as const;

/** The help of `thoth` itself. It is laid out as that of `thoth-release`. */
export function help(): string {
  return `Usage: thoth [command] [options]

A self-hosted gateway: one OpenAI-compatible API over OpenAI, Anthropic and Google.

Options:
${rows([HELP_OPTION])}
Commands:
${rows(COMMANDS.map(({ usage, summary }) => [usage, summary]))}
Exit codes:
${rows(Object.entries(MEANING))}
Settings are environment variables: docs/SETTINGS.md. "thoth help <command>" has more of a command.
`;
}

/** The help of all commands that begin with a word, such as `keys`; `undefined` where none of several words does. */
export function groupHelp(word: string): string | undefined {
  const commands = COMMANDS.filter((entry) => nameOf(entry).startsWith(`${word} `));
  if (commands.length === 0) return undefined;
  return `Usage: thoth ${word} [command] [options]

Commands:
${rows(commands.map(({ usage, summary }) => [usage, summary]))}
"thoth help ${word} <command>" has more of a command.
`;
}

/** The help of a command. */
export function commandHelp(entry: Entry): string {
  return `Usage: thoth ${nameOf(entry)} [options]${entry.usage.slice(nameOf(entry).length)}

${entry.summary}

Options:
${rows([...entry.options, JSON_OPTION, HELP_OPTION])}
Examples:
${entry.examples.map((line) => `  thoth ${line}\n`).join('')}`;
}

/** Rows no wider than the terminal, in two columns. */
function rows(pairs: readonly (readonly [string, string])[]): string {
  const indent = Math.max(...pairs.map(([left]) => left.length)) + 4;
  const room = Math.max((process.stdout.columns ?? WIDTH) - indent, LEAST_ROOM);
  return pairs
    .map(
      ([left, right]) =>
        `${`  ${left}`.padEnd(indent)}${broken(right, room).join(`\n${' '.repeat(indent)}`)}\n`,
    )
    .join('');
}

function broken(text: string, room: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > room) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
