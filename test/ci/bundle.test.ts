import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { bundleRelease, PATHS } from '../../ci/src/command.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** What the module's toolbox has when it bundles (ci/src/toolbox.ts). */
const IN_TOOLBOX = ['package.json', 'package-lock.json', 'tsconfig.json', 'src'];

const work = mkdtempSync(join(tmpdir(), 'thoth-release-bundle-'));
after(() => rmSync(work, { recursive: true, force: true }));

/** Bundles in a folder that holds `names` of the project, and no more. @returns the bundle's path */
async function bundleIn(folder: string, names: readonly string[]): Promise<string> {
  mkdirSync(folder);
  for (const name of names) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const [program = '', ...args] = bundleRelease();
  await promisify(execFile)(program, args, { cwd: folder });
  return join(folder, PATHS.program);
}

let toolbox: string;
let file: string;
before(async () => {
  toolbox = join(work, 'toolbox');
  file = await bundleIn(toolbox, IN_TOOLBOX);
});

/** What a command prints, run in a small repository with one release behind it. */
function printed(program: readonly string[], args: readonly string[], cwd: string): string {
  const [command = '', ...before] = program;
  return execFileSync(command, [...before, ...args], { cwd, encoding: 'utf8' });
}

test('it is made where the toolbox bundles, as an executable script without a path of this machine', () => {
  const text = readFileSync(file, 'utf8');
  assert.match(text, /^#!\/usr\/bin\/env node\n/);
  assert.equal(statSync(file).mode & 0o777, 0o755);
  for (const path of [ROOT, work]) assert.equal(text.includes(path), false, path);
});

test('the same sources elsewhere, without a tsconfig.json, give the same bytes', async () => {
  const again = await bundleIn(
    join(work, 'elsewhere'),
    IN_TOOLBOX.filter((name) => name !== 'tsconfig.json'),
  );
  assert.ok(readFileSync(again).equals(readFileSync(file)));
});

const repository = join(work, 'repository');
before(() => {
  mkdirSync(repository);
  const identity = ['-c', 'user.name=t', '-c', 'user.email=t@example.com', '-c', 'commit.gpgsign=false'];
  const git = (...args: string[]) => execFileSync('git', [...identity, ...args], { cwd: repository });
  git('init', '--quiet', '--initial-branch=main');
  cpSync(join(ROOT, 'package.json'), join(repository, 'package.json'));
  cpSync(join(ROOT, 'Dockerfile'), join(repository, 'Dockerfile'));
  git('add', '.');
  git('commit', '--quiet', '--message', 'feat: begin');
  git('tag', 'v1.0.0');
  git('commit', '--quiet', '--allow-empty', '--message', 'fix(server): mend it');
});

const COMMANDS: readonly [string[], RegExp][] = [
  [['--help'], /rehearse/],
  [['publish', '--help'], /Examples:/],
  [['tags', 'v1.0.1', '--json'], /"v1\.0\.1"[\s\S]*"v1"/],
  [['changelog', 'v1.0.1'], /mend it/],
];
for (const [args, expected] of COMMANDS) {
  test(`it prints what the sources print: ${args.join(' ')}`, () => {
    const tsx = ['node', '--import', import.meta.resolve('tsx'), join(ROOT, 'src/release/cli.ts')];
    const text = printed(['node', file], args, repository);
    assert.match(text, expected);
    assert.equal(text, printed(tsx, args, repository));
  });
}
