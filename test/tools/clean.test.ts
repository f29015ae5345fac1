import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../..');
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'thoth-clean-'));
  cpSync(join(ROOT, 'tools/clean.sh'), join(folder, 'tools/clean.sh'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const clean = (environment = {}) =>
  execFileSync('sh', ['tools/clean.sh'], {
    cwd: folder,
    env: { ...process.env, THOTH_HOME: '', ...environment },
  });

for (const [home, environment] of [
  ['.thoth', {}],
  ['elsewhere', { THOTH_HOME: 'elsewhere' }],
] as const) {
  test(`of ${home} the tools stay, and nothing else`, () => {
    for (const name of ['tools/bin', 'release/v1.0.0', 'registry']) {
      mkdirSync(join(folder, home, name), { recursive: true });
      writeFileSync(join(folder, home, name, 'file'), '');
    }
    mkdirSync(join(folder, 'dist'));
    clean(environment);
    assert.deepEqual(readdirSync(join(folder, home)), ['tools']);
    assert.ok(existsSync(join(folder, home, 'tools/bin/file')));
    assert.equal(existsSync(join(folder, 'dist')), false);
  });
}

test('where nothing was made there is nothing to do', () => {
  clean();
  assert.deepEqual(readdirSync(folder), ['tools']);
});
