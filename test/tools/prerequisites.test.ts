import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../..');
const PROGRAMS = ['sh', 'sed', 'dirname'];

let folder: string;
let bin: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'thoth-prerequisites-'));
  bin = join(folder, 'bin');
  mkdirSync(bin);
  cpSync(join(ROOT, 'tools/prerequisites.sh'), join(folder, 'tools/prerequisites.sh'));
  cpSync(join(ROOT, 'package.json'), join(folder, 'package.json'));
  for (const name of PROGRAMS) {
    const path = execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
    symlinkSync(path, join(bin, name));
  }
  symlinkSync(process.execPath, join(bin, 'node'));
  for (const name of ['npm', 'go', 'git']) writeFileSync(join(bin, name), '', { mode: 0o755 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function check(): [number | null, string] {
  const { status, stderr } = spawnSync('sh', ['tools/prerequisites.sh'], {
    cwd: folder,
    env: { PATH: bin },
    encoding: 'utf8',
  });
  return [status, stderr];
}

test('where all is there it says nothing', () => assert.deepEqual(check(), [0, '']));

const LACKING: readonly [string, string[], RegExp][] = [
  ['node', ['node'], /^Node\.js is missing: install \d+\.\d+ or newer.*\n$/],
  ['npm', ['npm'], /^npm is missing.*\n$/],
  ['go', ['go'], /^Go is missing.*\n$/],
  ['git', ['git'], /^git is missing.*\n$/],
  ['everything', ['node', 'npm', 'go', 'git'], /^Node\.js is .*\nnpm is .*\nGo is .*\ngit is .*\n$/],
];
for (const [name, programs, text] of LACKING) {
  test(`without ${name} it says what to install`, () => {
    for (const program of programs) rmSync(join(bin, program));
    const [code, stderr] = check();
    assert.equal(code, 69);
    assert.match(stderr, text);
  });
}

const [major, minor] = process.versions.node.split('.').map(Number);
const VERSIONS: readonly [string, boolean][] = [
  [`${major}.${minor}`, true],
  [`${Number(major) - 1}.99`, true],
  [`${major}.${Number(minor) + 1}`, false],
  [`${Number(major) + 1}.0`, false],
];
for (const [least, enough] of VERSIONS) {
  test(`Node.js ${process.versions.node} is ${enough ? 'enough' : 'too old'} where ${least} is asked for`, () => {
    writeFileSync(join(folder, 'package.json'), `{\n  "engines": {\n    "node": ">=${least}"\n  }\n}\n`);
    const [code, stderr] = check();
    assert.equal(code, enough ? 0 : 69);
    if (!enough) assert.match(stderr, new RegExp(`^Node\\.js is too old: ${least} or newer is needed`));
  });
}
