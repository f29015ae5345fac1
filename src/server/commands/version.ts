import { EXIT } from '../exit.ts';
import { REVISION, VERSION } from '../version.ts';
import { type Command, print } from './command.ts';

/** `thoth version [--json]`: the version, the commit and the Node that runs it. */
export const version: Command = {
  async run(input) {
    const facts = { version: VERSION, revision: REVISION, node: process.versions.node };
    print(input, facts, `thoth ${facts.version} (revision ${facts.revision}, Node ${facts.node})\n`);
    return EXIT.done;
  },
};
