import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '..');
const IMPORT = "import { test } from 'node:test';\n";
const FOR_EVER = 'new Promise(() => setInterval(() => {}, 1000))';
/** A test that starts a program, notes its process id in `pid`, and then does `rest`. */
const starting = (rest: string) => `${IMPORT}import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
test('starts a program', () => {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  child.unref();
  writeFileSync('pid', String(child.pid));
  ${rest}
});\n`;

const FILES: Readonly<Record<string, string>> = {
  'test/one.test.ts': `${IMPORT}test('one passes', () => {});\n`,
  'test/deep/two.test.ts': `${IMPORT}test('two passes', () => {});\n`,
  'test/deep/three.itg.test.ts': `${IMPORT}test('three passes', () => {});\n`,
  'test/helper.ts': "throw new Error('no test, and not to be run');\n",
  'other/bad.test.ts': `${IMPORT}test('bad', () => { throw new Error('planted'); });\n`,
  'other/open.test.ts': `${IMPORT}test('open passes', () => {});\nsetInterval(() => {}, 1000);\n`,
  'other/hung.test.ts': `${IMPORT}process.on('SIGTERM', () => {});\ntest('hung', () => ${FOR_EVER});\n`,
  'other/leaving.test.ts': starting(''),
  'other/waiting.test.ts': starting(`return ${FOR_EVER};`),
  'other/listed/kept.test.ts': `${IMPORT}import { describe } from 'node:test';
describe('promises', () => { test('one is kept', () => {}); test('two is kept', () => {}); });
test('broken', () => { throw new Error('planted'); });\n`,
  'other/listed/matrix.json': JSON.stringify({
    title: 'What was promised',
    cases: [
      ['kept', 'kept.test.ts', '^promises > .* is kept$'],
      ['broken', 'kept.test.ts', '^broken$'],
      ['forgotten', 'kept.test.ts', '^forgotten$'],
      ['elsewhere', 'absent.test.ts', ''],
    ],
  }),
};

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'thoth-run-'));
  mkdirSync(join(folder, 'test/deep'), { recursive: true });
  mkdirSync(join(folder, 'other'));
  // The same runner once more over a folder of tests that are not to pass.
  for (const name of ['run.mjs', 'report.mjs', 'limit.mjs']) {
    for (const tests of ['test', 'other']) cpSync(join(ROOT, 'test', name), join(folder, tests, name));
  }
  mkdirSync(join(folder, 'other/listed'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
after(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => rmSync(join(folder, 'pid'), { force: true }));

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; stdout: string; stderr: string }>;
}

function start(file: string, ...args: string[]): Run {
  // Without the mark that this is a test file already, in which a runner would run nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(process.execPath, [file, ...args], {
    cwd: folder,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk) => {
    stdout += String(chunk);
  });
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, stdout, stderr }));
  return { child, ended };
}

const run = (file: string, ...args: string[]) => start(file, ...args).ended;

/** The process that a test noted, once it did. */
async function noted(): Promise<number> {
  for (let tries = 0; tries < 1_000; tries += 1) {
    try {
      const text = readFileSync(join(folder, 'pid'), 'utf8');
      if (text !== '') return Number(text);
    } catch {
      // not yet
    }
    await new Promise((done) => setTimeout(done, 20));
  }
  throw new Error('no process was noted');
}

/** Whether it runs: one that has ended may still be listed until its parent collects it. */
function runs(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

const SELECTIONS: readonly [string[], string[]][] = [
  [[], ['one', 'three', 'two']],
  [['unit'], ['one', 'two']],
  [['itg'], ['three']],
  [['deep'], ['three', 'two']],
  [['unit', 'deep'], ['two']],
  [
    ['one', 'three'],
    ['one', 'three'],
  ],
  [['--test-name-pattern=two', 'deep/two'], ['two']],
];
for (const [args, names] of SELECTIONS) {
  test(`npm test -- ${args.join(' ')} runs ${names.join(', ')}`, async () => {
    const { code, stdout } = await run('test/run.mjs', ...args);
    const passed = [...stdout.matchAll(/✔ (\w+) passes/g)].map((match) => match[1] ?? '');
    assert.deepEqual(passed.sort(), names);
    assert.equal(code, 0, stdout);
    assert.match(stdout, /ℹ tests \d+\n(ℹ \w+ \d+\n)+ℹ duration_ms [\d.]+\n$/);
  });
}

test('nothing to run is a failure that repeats what was asked for', async () => {
  const { code, stderr } = await run('test/run.mjs', 'nonsense');
  assert.deepEqual([code, stderr], [2, 'No test file matches nonsense.\n']);
});

test('after a failure the exit code is 1, and the summary is still the last thing printed', async () => {
  const { code, stdout } = await run('other/run.mjs', 'bad');
  assert.equal(code, 1);
  assert.match(stdout, /planted[\s\S]*ℹ fail 1\n[\s\S]*ℹ duration_ms [\d.]+\n$/);
});

const MATRICES: readonly [name: string, args: string[], code: number, lines: RegExp][] = [
  [
    'with each case and its result; one that no test shows is a failure',
    [],
    1,
    /What was promised \(1 not run\)\n {2}✔ kept \(2 tests, .*s\)\n {2}✖ broken \(.*s\)\n {2}✖ forgotten \(no test in kept\.test\.ts/,
  ],
  [
    'with what was chosen of it',
    ['--test-name-pattern=one is kept'],
    0,
    /What was promised \(3 not run\)\n {2}✔ kept \(\d.*s\)\n\nℹ tests 1\n/,
  ],
];
for (const [name, args, expected, lines] of MATRICES) {
  test(`a folder's matrix is printed ${name}`, async () => {
    const { code, stdout } = await run('other/run.mjs', 'listed/kept', ...args);
    assert.equal(code, expected, stdout);
    assert.match(stdout, lines);
    assert.match(stdout, /ℹ duration_ms [\d.]+\n$/);
  });
}

const ENDLESS: readonly [string, RegExp][] = [
  ['hung', /test at \S*hung\.test\.ts[\s\S]*timed out after 2000ms/],
  ['open', /✖ \S*open\.test\.ts[\s\S]*✖ failing tests/],
];
for (const [name, text] of ENDLESS) {
  test(`a file that does not end fails by its name, even one that takes no notice of SIGTERM: ${name}`, async () => {
    const { code, stdout } = await run('other/run.mjs', name, '--test-timeout=2000');
    assert.equal(code, 1);
    assert.match(stdout, text);
    assert.match(stdout, new RegExp(`${name}\\.test\\.ts did not end within 2000 ms`));
  });
}

test('a process that a test leaves behind is ended, and is a failure', async () => {
  const { code, stderr } = await run('other/run.mjs', 'leaving');
  assert.equal(code, 1);
  const pid = await noted();
  assert.match(stderr, new RegExp(`left behind .*sleep \\(${pid}\\)`));
  assert.equal(runs(pid), false);
});

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const) {
  test(`${signal} ends the runner and all it started, with exit code ${expected}`, async () => {
    const { child, ended } = start('other/run.mjs', 'waiting');
    const pid = await noted();
    child.kill(signal);
    assert.equal((await ended).code, expected);
    assert.equal(runs(pid), false);
  });
}
