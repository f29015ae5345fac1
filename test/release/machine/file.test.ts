import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { writeWhole } from '../../../src/release/machine/file.ts';

describe('a file that is written as a whole', () => {
  test('is there with its text, in folders made for it, and nothing beside it', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'thoth-file-'));
    await writeWhole(join(dir, 'a/b/plan.json'), 'one');
    await writeWhole(join(dir, 'a/b/plan.json'), 'two');
    assert.equal(await readFile(join(dir, 'a/b/plan.json'), 'utf8'), 'two');
    assert.deepEqual(await readdir(join(dir, 'a/b')), ['plan.json']);
    await rm(dir, { recursive: true });
  });

  test('is as it was where it can not be written', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'thoth-file-'));
    await mkdir(join(dir, 'plan.json'));
    await assert.rejects(writeWhole(join(dir, 'plan.json'), 'text'));
    assert.deepEqual(await readdir(dir), ['plan.json']);
    await rm(dir, { recursive: true });
  });
});
