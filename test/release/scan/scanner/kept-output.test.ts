import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { convert, dockerfileReport, keepNewest } from '../../../../src/release/scan/scanner/kept-output.ts';
import type { Trivy, TrivyBuild } from '../../../../src/release/scan/scanner/trivy.ts';
import { failure } from '../../machine/failure.ts';

const BUILD: TrivyBuild = { version: '1', build: '1 1 1', databaseUpdatedAt: undefined };

let folder = '';
let trivy: Trivy;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'thoth-output-'));
  const program = join(folder, 'trivy');
  // Prints what it was asked for, of what, and how often it was asked.
  const script = `echo >> '${folder}/calls'; for file; do :; done; echo "$1 $(cat "$file") $(wc -l < '${folder}/calls')"`;
  await writeFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  trivy = { program, cache: join(folder, 'cache') };
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const table = (report = '{}', build = BUILD) => convert(trivy, build, report, 'table', 'checked');

test('what the scanner makes of the same input is asked for once', async () => {
  assert.equal(await table(), 'convert {} 1\n');
  assert.equal(await table(), 'convert {} 1\n');
  assert.equal(await dockerfileReport(trivy, BUILD, 'FROM a'), 'config FROM a 2\n');
  assert.equal(await dockerfileReport(trivy, BUILD, 'FROM a'), 'config FROM a 2\n');
});

const CHANGES: readonly [string, () => Promise<string>][] = [
  ['another report', () => table('[]')],
  ['another form', () => convert(trivy, BUILD, '{}', 'sarif', 'checked')],
  ['other things that were looked for', () => convert(trivy, BUILD, '{}', 'table')],
  ['another build of the scanner', () => table('{}', { ...BUILD, build: '1 1 2' })],
  ['a Dockerfile of the same text', () => dockerfileReport(trivy, BUILD, '{}')],
];
for (const [name, change] of CHANGES) {
  test(`it is asked for anew for ${name}`, async () => {
    await table();
    assert.match(await change(), / 2\n$/);
    assert.match(await change(), / 2\n$/, 'and then kept');
  });
}

test('what fails is not kept, nor half of anything', async () => {
  const { program } = trivy;
  trivy = { ...trivy, program: 'false' };
  assert.equal((await failure(table())).code, 'SCAN_FAILED');
  trivy = { ...trivy, program };
  assert.match(await table(), / 1\n$/);
  const [only, ...others] = await readdir(join(trivy.cache, 'outputs'));
  assert.deepEqual(others, []);
  assert.match(await readFile(join(trivy.cache, 'outputs', only ?? ''), 'utf8'), / 1\n$/);
});

test('of a folder the newest files stay, and one that is being written', async () => {
  for (const [day, name] of ['c', 'a', 'd', 'b.partial', 'e'].entries()) {
    await writeFile(join(folder, name), '');
    await utimes(join(folder, name), day * 86_400, day * 86_400);
  }
  await rm(trivy.program);
  await keepNewest(folder, 2);
  assert.deepEqual((await readdir(folder)).sort(), ['b.partial', 'd', 'e']);
});
