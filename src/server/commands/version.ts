import { EXIT } from '../exit.ts';
import { REVISION, VERSION } from '../version.ts';
import type { Command } from './command.ts';

/** `thoth version [--json]`: the version, the commit and the Node that runs it. */
export const version: Command = {
  async run(args) {
    const facts = { version: VERSION, revision: REVISION, node: process.versions.node };
    const line = `thoth ${facts.version} (revision ${facts.revision}, Node ${facts.node})`;
    process.stdout.write(`${args.includes('--json') ? JSON.stringify(facts) : line}\n`);
    return EXIT.done;
  },
};
