import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { DataDirectory } from '../../src/server/store/data-directory.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoth-data-'));
after(() => rmSync(folder, { recursive: true, force: true }));
writeFileSync(join(folder, 'file'), '');
const kept = join(folder, 'kept');

test('a directory that can be written has no fault, and nothing is left in it', async () => {
  assert.equal(await new DataDirectory(folder).check(), undefined);
  assert.deepEqual(readdirSync(folder), ['file']);
});

const cases: readonly [string, string, RegExp][] = [
  ['missing', join(folder, 'missing'), /does not exist/],
  ['a file', join(folder, 'file'), /is not a directory/],
  ['a place where no file can be made', '/proc/self', /./],
];
for (const [name, path, problem] of cases) {
  test(`a fault: ${name}`, async () => {
    const fault = await new DataDirectory(path).check();
    assert.equal(fault?.subject, 'DATA_DIR');
    assert.match(fault.problem, problem);
  });
}

test('callers at the same time share one answer', async () => {
  const directory = new DataDirectory(kept);
  const first = directory.check();
  assert.equal(directory.check(), first);
  await first;
});
