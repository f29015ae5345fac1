import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, isAbsolute, join, relative } from 'node:path';
import { after, test } from 'node:test';
import { findTool, requireTool } from '../../../src/release/machine/tools.ts';
import { failure } from './failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoth-tools-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function program(path: string, mode = 0o755): string {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, '');
  chmodSync(path, mode);
  return path;
}

const home = join(folder, 'home');
const [one, two] = [join(folder, 'one'), join(folder, 'two')];
const pinned = program(join(home, 'tools', 'bin', 'regctl'));
program(join(one, 'regctl'));
const trivy = program(join(two, 'trivy'));
program(join(one, 'trivy'), 0o644);
mkdirSync(join(one, 'buildah'));
const buildah = program(join(two, 'buildah'));
symlinkSync(trivy, join(two, 'npm'));
symlinkSync(join(folder, 'gone'), join(one, 'tar'));
const PATH = ['', one, join(folder, 'none'), two].join(':');

const found: readonly (readonly [string, Parameters<typeof findTool>[0], string | undefined])[] = [
  ["the project's own goes before the path's", 'regctl', pinned],
  ['a file that may not be run is passed over', 'trivy', trivy],
  ['a folder is passed over', 'buildah', buildah],
  ['a link is followed', 'npm', join(two, 'npm')],
  ['a link to nothing is passed over', 'tar', undefined],
  ['what is nowhere', 'docker', undefined],
];
for (const [name, tool, path] of found) {
  test(name, async () => assert.equal(await findTool(tool, home, { PATH }), path));
}

test('a path is absolute even where home or PATH are not', async () => {
  const own = await findTool('regctl', relative(process.cwd(), home), {});
  const other = await findTool('trivy', home, { PATH: relative(process.cwd(), two) });
  assert.deepEqual([own, other], [pinned, trivy]);
  for (const path of [own, other]) assert.ok(path !== undefined && isAbsolute(path));
});

test('an empty part of PATH is not the current folder', async () => {
  const before = process.cwd();
  process.chdir(two);
  try {
    assert.equal(await findTool('trivy', home, { PATH: ':' }), undefined);
  } finally {
    process.chdir(before);
  }
});

test('without a PATH there is only the project', async () => {
  assert.equal(await findTool('regctl', home, {}), pinned);
  assert.equal(await findTool('trivy', home, {}), undefined);
});

test('a tool that is needed and missing is an error that says how to get it', async () => {
  assert.equal(await requireTool('regctl', home, {}), pinned);
  for (const [tool, remedy] of [
    ['trivy', /make tools/],
    ['docker', /docs\.docker\.com/],
  ] as const) {
    const error = await failure(requireTool(tool, home, {}));
    assert.equal(error.code, 'TOOL_MISSING');
    assert.equal(error.message, `The program "${tool}" was not found.`);
    assert.match(error.remedy, remedy);
  }
});
