import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { bundleRelease, ENGINE_SOURCES, PATHS, sayConfig } from '../../ci/src/command.ts';
import { parseConfig } from '../../ci/src/config.ts';

const ROOT = resolve(import.meta.dirname, '../..');
/** What the module has when it bundles (ci/src/engine.ts). */
const IN_TOOLBOX = ['package.json', 'package-lock.json', ENGINE_SOURCES];

const work = mkdtempSync(join(tmpdir(), 'thoth-release-bundle-'));
after(() => rmSync(work, { recursive: true, force: true }));

/** Bundles in a folder that holds `names` of the project, and no more. @returns the bundle's path */
async function bundleIn(folder: string, names: readonly string[]): Promise<string> {
  mkdirSync(folder);
  for (const name of names) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const [program = '', ...args] = bundleRelease();
  await promisify(execFile)(program, args, { cwd: folder });
  return join(folder, PATHS.bundle);
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

test('the same sources elsewhere, with all of the project beside them, give the same bytes', async () => {
  const again = await bundleIn(join(work, 'elsewhere'), [...IN_TOOLBOX.slice(0, 2), 'tsconfig.json', 'src']);
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

/** Where a project is, and what the module then reads of it. */
const PROJECTS: readonly [string, string, string, object, string[]][] = [
  [
    'Thoth',
    ROOT,
    'marcopancotti/thoth',
    { path: '/health', port: undefined },
    ['NODE_IMAGE', 'THOTH_VERSION'],
  ],
  [
    'a Python service',
    join(ROOT, 'examples/python'),
    'ada/greeter',
    { path: '/health', port: undefined },
    ['PYTHON_IMAGE', 'VERSION'],
  ],
];
for (const [name, folder, repository, start, args] of PROJECTS) {
  test(`the module reads what it prints of ${name}`, () => {
    const [, , ...words] = sayConfig(undefined, false);
    const config = parseConfig(printed(['node', file], words, folder));
    assert.equal(config.repository, repository);
    assert.deepEqual(config.platforms, ['linux/amd64', 'linux/arm64']);
    assert.deepEqual({ path: config.start.path, port: config.start.port }, start);
    for (const arg of args) assert.ok(config.build.args[arg], arg);
  });
}

test('anything else that it could print is refused by name', () => {
  const [, , ...words] = sayConfig(undefined, false);
  const whole = JSON.parse(printed(['node', file], words, join(ROOT, 'examples/python')));
  const wrong: readonly [object, RegExp][] = [
    [[], /: it\./],
    [{ ...whole, platforms: [] }, /: platforms\./],
    [{ ...whole, build: { ...whole.build, epoch: '0' } }, /: build\.epoch\./],
    [{ ...whole, build: { ...whole.build, args: { A: 1 } } }, /: build\.args\.A\./],
    [{ ...whole, start: { ...whole.start, path: undefined } }, /: start\.path\./],
  ];
  for (const [value, message] of wrong) assert.throws(() => parseConfig(JSON.stringify(value)), message);
});
