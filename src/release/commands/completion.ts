import { ReleaseError } from '../errors.ts';
import type { CommandModule } from './context.ts';

const PROGRAM = 'thoth-release';

/** What of a command's help a shell completes. */
interface Completed {
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly (readonly [flags: string, description: string])[];
}

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

/**
 * `completion SHELL`: the script by which a shell completes these commands and their options.
 *
 * @param common the options that every command has besides its own
 */
export function completionOf(entries: readonly Completed[], common: Completed['options']): CommandModule {
  const help = ['--help', 'display help for command'] as const;
  const commands = entries.map(({ options, ...entry }) => ({
    ...entry,
    options: [...options, ...common, help],
  }));
  return {
    async run({ print }, [wanted = '']) {
      const shell = SHELLS.find((name) => name === wanted);
      if (shell === undefined) {
        throw new ReleaseError('USAGE', `There is no completion for "${wanted}".`, 'Give bash, zsh or fish.');
      }
      const script = shell === 'fish' ? fishScript(commands) : bashScript(commands, shell);
      print(script, { shell, script });
    },
  };
}

/** Made of the catalogue, so that it knows what `--help` knows. A value is completed as a file. */
function bashScript(commands: readonly Completed[], shell: Exclude<Shell, 'fish'>): string {
  const lines = commands.map(({ usage, options }) => {
    const flags = options.map(([option]) => option.split(' ')[0]);
    return `    ${usage.split(' ')[0]}) words='${flags.join(' ')}' ;;`;
  });
  const valued = new Set(
    commands.flatMap(({ options }) =>
      options.flatMap(([option]) => (option.includes(' ') ? option.split(' ').slice(0, 1) : [])),
    ),
  );
  const names = commands.map(({ usage }) => usage.split(' ')[0]).join(' ');
  return [
    // Zsh runs completions written for bash.
    ...(shell === 'zsh' ? ['autoload -U +X compinit bashcompinit', 'compinit', 'bashcompinit'] : []),
    '_thoth_release() {',
    `  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]} words=''`,
    '  COMPREPLY=()',
    `  case $before in ${[...valued].join('|')}) return ;; esac`,
    `  case \${COMP_WORDS[1]} in`,
    ...lines,
    '  esac',
    `  [ "$COMP_CWORD" -eq 1 ] && words='${names} help'`,
    `  [ "\${COMP_WORDS[1]}" = help ] && [ "$COMP_CWORD" -eq 2 ] && words='${names}'`,
    '  COMPREPLY=($(compgen -W "$words" -- "$word"))',
    '}',
    `complete -o default -F _thoth_release ${PROGRAM}`,
    '',
  ].join('\n');
}

/** The same for fish, which shows the help of each beside it. */
function fishScript(commands: readonly Completed[]): string {
  const complete = (condition: string, what: string, description: string) =>
    `complete -c ${PROGRAM} -n '${condition}' ${what} -d ${quoted(description)}`;
  const named = commands.map(({ usage, ...rest }) => ({ name: usage.split(' ')[0] ?? '', ...rest }));
  return [
    'function __thoth_release_in',
    '  set -l words (commandline -opc)',
    '  test "$words[2]" = "$argv[1]"',
    'end',
    ...named.flatMap(({ name, summary, options }) => [
      complete('__thoth_release_in ""', `-f -a ${name}`, summary),
      complete('__thoth_release_in help', `-f -a ${name}`, summary),
      ...options.map(([flags, description]) => {
        const [flag = '', value] = flags.split(' ');
        const option = `-l ${flag.replace(/^--/, '')}${value === undefined ? '' : ' -r'}`;
        return complete(`__thoth_release_in ${name}`, option, description);
      }),
    ]),
    complete('__thoth_release_in ""', '-f -a help', 'display help for command'),
    '',
  ].join('\n');
}

/** In single quotes of fish, where only these two are special. */
function quoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, '\\$&')}'`;
}
