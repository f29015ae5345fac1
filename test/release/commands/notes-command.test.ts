import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createContext } from '../../../src/release/commands/context.ts';
import { notes } from '../../../src/release/commands/notes.ts';

test('the notes are written to the file that is named, and printed', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'thoth-notes-'));
  try {
    const output = join(folder, 'notes.md');
    const printed: string[] = [];
    const context = createContext({}, { ...process.env }, new AbortController().signal);
    await notes.run({ ...context, print: (text) => printed.push(text) }, ['v99.0.0'], { output });
    assert.match(printed.join(), /v99\.0\.0/);
    assert.equal(await readFile(output, 'utf8'), printed.join());
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
