import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { EXIT } from '../exit.ts';
import { Failure } from '../failure.ts';
import { readSetting } from '../settings/read.ts';
import { restore } from '../store/restore.ts';
import { type Command, print } from './command.ts';

/** `thoth restore FILE|-`. */
export const restoreCommand: Command = {
  async run(input) {
    const [file = '-'] = input.args;
    const archive = file === '-' ? process.stdin : await openFile(file);
    const whileRunning = input.has('while-running');
    const { manifest, schema, replaced } = await restore(
      readSetting(process.env, 'DATA_DIR'),
      archive,
      whileRunning,
    );
    const { thoth, created_at } = manifest;
    const result = { thoth, created_at, schema_before: manifest.schema, schema, replaced: replaced ?? null };
    const before = replaced === undefined ? '' : `What was there before is in ${replaced}.\n`;
    const next = whileRunning ? 'Restart the service now: it is still at work on the old data.\n' : '';
    print(input, result, `Restored the backup of ${created_at} (Thoth ${thoth}).\n${before}${next}`);
    return EXIT.done;
  },
};

async function openFile(file: string): Promise<Readable> {
  const stream = createReadStream(file);
  try {
    await once(stream, 'open');
    return stream;
  } catch {
    const fix = 'Name a backup that this user may read, or - for standard input.';
    throw new Failure(EXIT.data, 'Nothing was changed.', [
      { subject: 'backup', problem: 'the file can not be read', fix },
    ]);
  }
}
