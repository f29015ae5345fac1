import { createWriteStream } from 'node:fs';
import { open, rename, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { EXIT } from '../exit.ts';
import { Failure, usageFailure } from '../failure.ts';
import { readSetting } from '../settings/read.ts';
import { type Backup, makeBackup } from '../store/backup.ts';
import { fileProblem } from '../store/sqlite-fault.ts';
import { type Command, print } from './command.ts';

/** `thoth backup --output FILE|-`. */
export const backup: Command = {
  async run(input) {
    const output = input.text('output');
    if (output === undefined) throw usageFailure('--output is needed', 'thoth backup');
    const made = await makeBackup(readSetting(process.env, 'DATA_DIR'));
    try {
      if (output === '-') {
        await pipeline(made.archive, process.stdout);
        return EXIT.done;
      }
      const file = resolve(output);
      await write(made, file);
      const { thoth, schema } = made.manifest;
      print(input, { file, ...made.manifest }, `${file} (Thoth ${thoth}, schema ${schema})\n`);
      return EXIT.done;
    } finally {
      made.remove();
    }
  },
};

/** Whole or not at all. */
async function write({ archive }: Backup, file: string): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await pipeline(archive, createWriteStream(partial, { mode: 0o600 }));
    const handle = await open(partial, 'r+');
    await handle.sync();
    await handle.close();
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new Failure(EXIT.storage, 'The backup was not written.', [
      {
        subject: '--output',
        problem: `the file ${fileProblem(code)}`,
        fix: 'Name another file, or free some disk.',
      },
    ]);
  }
}
