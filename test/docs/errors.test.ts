import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { errorsPage } from './errors-page.ts';

test('docs/ERRORS.md has every error, as they are now', async () => {
  const stored = await readFile(new URL('../../docs/ERRORS.md', import.meta.url), 'utf8');
  assert.equal(stored, errorsPage(), 'run: node --import tsx test/docs/write-errors.ts');
});
