import { ReleaseError } from '../errors.ts';
import type { CommandModule } from './context.ts';

const PROGRAM = 'thoth-release';
/** What every command has besides its own options. */
const COMMON = ['--home', '--json', '--help'];

/** What of a command's help a shell completes. */
interface Completed {
  readonly usage: string;
  readonly options: readonly (readonly [flags: string, description: string])[];
}

/** `completion SHELL`: the script by which a shell completes these commands and their options. */
export function completionOf(commands: readonly Completed[]): CommandModule {
  return {
    async run({ print }, [shell = '']) {
      if (!isShell(shell)) {
        throw new ReleaseError('USAGE', `There is no completion for "${shell}".`, 'Give bash or zsh.');
      }
      const script = completionScript(commands, shell);
      print(script, { shell, script });
    },
  };
}

type Shell = 'bash' | 'zsh';

function isShell(text: string): text is Shell {
  return text === 'bash' || text === 'zsh';
}

/** Made of the catalogue, so that it knows what `--help` knows. A value is completed as a file. */
function completionScript(commands: readonly Completed[], shell: Shell): string {
  const lines = commands.map(({ usage, options }) => {
    const flags = options.map(([option]) => option.split(' ')[0]);
    return `    ${usage.split(' ')[0]}) words='${[...flags, ...COMMON].join(' ')}' ;;`;
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
    `  case $before in ${[...valued, '--home'].join('|')}) return ;; esac`,
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
