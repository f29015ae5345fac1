import { EXIT } from '../exit.ts';
import { usageFailure } from '../failure.ts';
import { envExample } from '../settings/env-example.ts';
import { type Command, print } from './command.ts';
import { composeText } from './compose.ts';

const FILES: Readonly<Record<string, { readonly file: string; readonly text: () => string }>> = {
  compose: { file: 'docker-compose.yml', text: composeText },
  env: { file: '.env', text: envExample },
};

/** `thoth init compose|env`: prints the files of a new installation, so that the host needs no others. */
export const init: Command = {
  async run(input) {
    const [what = ''] = input.args;
    const wanted = Object.hasOwn(FILES, what) ? FILES[what] : undefined;
    if (wanted === undefined) throw usageFailure('it prints "compose" or "env"', 'thoth init');
    const text = wanted.text();
    print(input, { file: wanted.file, text }, text);
    return EXIT.done;
  },
};
