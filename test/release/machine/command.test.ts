import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ReleaseError } from '../../../src/release/errors.ts';
import { type CommandOptions, run, runOk, tail } from '../../../src/release/machine/command.ts';
import { failure } from './failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoth-command-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const sh = (script: string, options?: CommandOptions) => run('sh', ['-c', script], options);
const node = (script: string, options?: CommandOptions) => run(process.execPath, ['-e', script], options);

test('what a program prints comes back as it is', async () => {
  assert.deepEqual(await sh('echo out; echo err >&2; exit 7'), {
    exitCode: 7,
    stdout: 'out\n',
    stderr: 'err\n',
  });
});

const codes: readonly (readonly [string, number])[] = [
  ['exit 0', 0],
  ['exit 255', 255],
  ['kill -KILL $$', 137],
  ['kill -TERM $$', 143],
];
for (const [script, exitCode] of codes) {
  test(`exit code of "${script}"`, async () => assert.equal((await sh(script)).exitCode, exitCode));
}

test('arguments reach the program unread by any shell', async () => {
  const result = await run('printf', ['%s|', '$HOME', 'a b', '', '*', '; exit 3']);
  assert.deepEqual(result, { exitCode: 0, stdout: '$HOME|a b||*|; exit 3|', stderr: '' });
});

test('the environment is added to, the folder and the input are given', async () => {
  const options = { env: { THOTH_TEST: 'yes' }, cwd: folder, input: 'héllo' };
  const { stdout } = await sh('echo "$THOTH_TEST $(test -n "$PATH" && echo path)"; pwd; cat', options);
  assert.equal(stdout, `yes path\n${folder}\nhéllo`);
});

test('without input there is nothing to read, and nothing is waited for', async () => {
  assert.equal((await run('cat', [])).stdout, '');
});

test('a program that does not read its input is no failure', async () => {
  assert.equal((await run('true', [], { input: 'x'.repeat(1_000_000) })).exitCode, 0);
});

test('lines of standard error are told as they come, progress bars too', async () => {
  const lines: string[] = [];
  const { stderr } = await sh('printf "one\\ntwo\\r50%%\\r100%%\\nlast" >&2; echo out', {
    onLine: (line) => lines.push(line),
  });
  assert.deepEqual(lines, ['one', 'two', '50%', '100%', 'last']);
  assert.equal(stderr, 'one\ntwo\r50%\r100%\nlast');
});

test('characters of more than one byte survive wherever a write cuts them', async () => {
  const script = `const bytes = Buffer.from('aé€😀');
    const next = (n) => n < bytes.length && process.stderr.write(bytes.subarray(n, n + 1), () => setImmediate(next, n + 1));
    next(0);`;
  assert.equal((await node(script)).stderr, 'aé€😀');
});

test('long output is whole on standard output, and its end is kept of standard error', async () => {
  const result = await node(
    `process.stdout.write('o'.repeat(20e6)); process.stderr.write('e'.repeat(20e6) + 'end')`,
  );
  assert.equal(result.stdout.length, 20e6);
  assert.equal(result.stderr.length, 262_144);
  assert.ok(result.stderr.endsWith('eend'));
});

test('output over the limit is a failure that says so, even of a program that exits 0', async () => {
  const script = `process.stdout.on('error', () => process.exit(0)); process.stdout.write('o'.repeat(101e6), () => process.exit(0))`;
  const result = await node(script);
  assert.notEqual(result.exitCode, 0);
  assert.match(result.stderr, /ended after 100000000 characters of output$/);
});

const locked = join(folder, 'locked');
writeFileSync(locked, '#!/bin/sh\n');
chmodSync(locked, 0o644);
const unstarted: readonly (readonly [string, string, CommandOptions, RegExp])[] = [
  ['is not there', 'thoth-no-such-program', {}, /"thoth-no-such-program" was not found/],
  ['is not there, by its path', join(folder, 'no such'), {}, /was not found/],
  ['may not be run', locked, {}, /could not be started/],
  ['is a folder', folder, {}, /could not be started/],
  ['is given a folder that is not there', 'true', { cwd: join(folder, 'none') }, /could not be started/],
];
for (const [name, program, options, message] of unstarted) {
  test(`a program that ${name}`, async () => {
    const error = await failure(run(program, [], options));
    assert.equal(error.code, 'TOOL_MISSING');
    assert.match(error.message, message);
    assert.notEqual(error.details.length, 0);
  });
}

test('runOk gives the result, or the failure that the caller makes of it', async () => {
  const failed = ({ exitCode, stderr }: { exitCode: number; stderr: string }) =>
    new ReleaseError('SCAN_FAILED', `${exitCode} ${stderr}`, '');
  assert.equal((await runOk('echo', ['fine'], {}, failed)).stdout, 'fine\n');
  const error = await failure(runOk('sh', ['-c', 'printf no >&2; exit 4'], {}, failed));
  assert.equal(error.message, '4 no');
});

const tails: readonly (readonly [string, string, string, number | undefined, readonly string[]])[] = [
  ['the last lines of standard error', 'out', 'a\nb\nc\n', 2, ['b', 'c']],
  ['standard output where there is none', 'a\nb\n', ' \n', 1, ['b']],
  [
    'twelve at most',
    '',
    Array.from({ length: 20 }, (_, n) => n).join('\n'),
    undefined,
    '8 9 10 11 12 13 14 15 16 17 18 19'.split(' '),
  ],
];
for (const [name, stdout, stderr, lines, expected] of tails) {
  test(`tail: ${name}`, () => assert.deepEqual(tail({ exitCode: 1, stdout, stderr }, lines), expected));
}

/**
 * A shell script that starts a child and waits, both holding the pipe `$PIPE` open. It says "up" when they
 * run. `before` comes first.
 */
const family = (before = '') => `${before} exec 9<>"$PIPE"; sleep 300 & echo up >&2; sleep 300; wait`;
let pipes = 0;

function makePipe(): { PIPE: string } {
  const PIPE = join(folder, `pipe-${++pipes}`);
  execFileSync('mkfifo', [PIPE]);
  return { PIPE };
}

/** Settles when no process holds a pipe open: reading it then ends, where it would find nothing yet. */
async function released({ PIPE }: { PIPE: string }): Promise<void> {
  const fd = openSync(PIPE, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    for (;;) {
      try {
        assert.equal(readSync(fd, Buffer.alloc(1)), 0);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
        await pause(10);
      }
    }
  } finally {
    closeSync(fd);
  }
}
const LIMIT = { timeout: 60_000 };

test('a signal ends the program and its children, and is an interruption', LIMIT, async () => {
  const env = makePipe();
  const control = new AbortController();
  const error = await failure(sh(family(), { env, signal: control.signal, onLine: () => control.abort() }));
  assert.equal(error.code, 'INTERRUPTED');
  assert.equal(error.exitCode, 130);
  await released(env);
});

test('those that ignore SIGTERM are killed', LIMIT, async () => {
  const env = makePipe();
  const control = new AbortController();
  const work = sh(family("trap '' TERM;"), { env, signal: control.signal, onLine: () => control.abort() });
  assert.equal((await failure(work)).code, 'INTERRUPTED');
  await released(env);
});

test('a child that left the group and holds the output open is not waited for', LIMIT, async () => {
  const control = new AbortController();
  let pid = 0;
  const onLine = (line: string) => {
    pid = Number(line);
    control.abort();
  };
  // The script is given a session of its own by Node; it then has no way to follow.
  const script = `const { spawn } = require('node:child_process');
    const child = spawn('sleep', ['300'], { detached: true, stdio: 'inherit' });
    console.error(child.pid); setInterval(() => {}, 1e6);`;
  try {
    assert.equal((await failure(node(script, { signal: control.signal, onLine }))).code, 'INTERRUPTED');
  } finally {
    process.kill(pid, 'SIGKILL');
  }
});

test('a signal given before starts nothing', async () => {
  const path = join(folder, 'never');
  const error = await failure(sh(`touch '${path}'`, { signal: AbortSignal.abort() }));
  assert.equal(error.code, 'INTERRUPTED');
  await assert.rejects(readFile(path), { code: 'ENOENT' });
});

test('a program that somebody else interrupted is an interruption', async () => {
  assert.equal((await failure(sh('kill -INT $$'))).code, 'INTERRUPTED');
});

test('the time limit ends the program and its children, whatever its exit code then is', LIMIT, async () => {
  const env = makePipe();
  const result = await sh(family("trap 'exit 0' TERM;"), { env, timeout: 1_000 });
  assert.equal(result.exitCode, 124);
  assert.match(result.stderr, /\nended after 1000 ms$/);
  await released(env);
});

test('a program that ends by itself leaves no time limit behind', async () => {
  assert.equal((await run('true', [], { timeout: 2 ** 31 - 1 })).exitCode, 0);
});

/** A program that runs `family` and says "up"; on SIGINT it does `then`. */
async function runner(then: string, { PIPE }: { PIPE: string }) {
  const command = new URL('../../../src/release/machine/command.ts', import.meta.url);
  const script = `import { run } from ${JSON.stringify(command.href)};
    const control = new AbortController();
    process.on('SIGINT', () => { ${then} });
    const work = run('sh', ['-c', ${JSON.stringify(family())}], { signal: control.signal, onLine: (line) => console.log(line) });
    await work.catch((error) => { process.exitCode = error.exitCode; });`;
  const args = ['--import', 'tsx', '--input-type=module', '--eval', script];
  const child = spawn(process.execPath, args, {
    env: { ...process.env, PIPE },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return child;
}
for (const [name, then, exitCode] of [
  ['that aborts leaves no child', 'control.abort()', 130],
  ['that exits leaves no child', 'process.exit(9)', 9],
] as const) {
  test(`an interrupted process ${name}`, LIMIT, async () => {
    const env = makePipe();
    const child = await runner(then, env);
    child.kill('SIGINT');
    const [code] = await once(child, 'exit');
    assert.equal(code, exitCode);
    await released(env);
  });
}
