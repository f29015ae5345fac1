// Runs the tests by node's own runner: node test/run.mjs [unit | itg] [NAME...] [--OPTION...]
//
//   unit   only those that need nothing but Node and git
//   itg    only *.itg.test.ts: they need a registry, an engine or a daemon
//   NAME   only files with NAME in their path below test/; several NAMEs add up
//   --...  handed to node, such as --test-name-pattern=drain
//
// They run on Node 24, as the image does. Where this machine's Node is too old for the service, that is what
// `tools/install.sh node` installed; tests of what runs on older ones too (thoth-release) find this machine's in
// THOTH_HOST_NODE.
//
// Exit code: 0 all passed, 1 a test failed or a process was left behind, 2 no file matches, 128 + a signal's
// number where a signal ended it.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { availableParallelism, constants } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';

// A test or a whole file, which may rehearse a release on a busy machine. What hangs longer fails by name.
const FILE_LIMIT_MS = 10 * 60_000;
const LEAST_PARALLEL = 2;
const MOST_PARALLEL = 4;
/** For what was told to end, before it is killed. */
const GRACE_MS = 5_000;
/** For what ends by itself when the test that started it did. */
const LEAVING_MS = 2_000;

const COVERAGE = '--experimental-test-coverage';

const TESTS = import.meta.dirname;
const PROJECT = join(TESTS, '..');
const LIMIT = join(TESTS, 'limit.mjs');

/** The Node that runs the tests: this one, unless it lacks what the service's store is made of. */
function testNode() {
  if (isBuiltin('node:sqlite')) return process.execPath;
  const { status } = spawnSync(join(PROJECT, 'tools/install.sh'), ['node'], { stdio: 'inherit' });
  if (status !== 0) process.exit(1);
  return resolve(PROJECT, process.env.THOTH_HOME ?? '.thoth', 'tools/bin/node24');
}

/** The test files that `words` choose, as paths below `folder`. */
function chosenFiles(folder, words) {
  const names = words.filter((word) => word !== 'unit' && word !== 'itg');
  return readdirSync(folder, { recursive: true })
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => !words.includes('unit') || !path.endsWith('.itg.test.ts'))
    .filter((path) => !words.includes('itg') || path.endsWith('.itg.test.ts'))
    .filter((path) => names.length === 0 || names.some((name) => path.includes(name)))
    .sort();
}

/** Starts the runner in a process group of its own, so that whatever a test starts can be ended with it. */
function startRunner(files, options) {
  const parallel = Math.min(Math.max(availableParallelism(), LEAST_PARALLEL), MOST_PARALLEL);
  const own = [
    `--test-concurrency=${parallel}`,
    `--test-timeout=${FILE_LIMIT_MS}`,
    `--test-reporter=${join(TESTS, 'report.mjs')}`,
    '--test-reporter-destination=stdout',
  ];
  // Lines are counted where they are: tsx moves them, and Node's own stripping of types does not.
  const types = options.includes(COVERAGE) ? [] : ['--import', 'tsx'];
  return spawn(testNode(), [...types, '--import', LIMIT, '--test', ...own, ...options, ...files], {
    env: { THOTH_HOST_NODE: process.execPath, ...process.env },
    stdio: ['ignore', 'inherit', 'inherit'],
    detached: true,
  });
}

/** Sends `signal` to the whole group; 0 only asks. @returns whether there is anyone in it */
function signalGroup(group, signal) {
  try {
    return process.kill(-group, signal);
  } catch {
    return false;
  }
}

/** Who lives in the group, by name and id. What has ended and was not yet collected by its parent does not count. */
function livingIn(group) {
  if (!signalGroup(group, 0)) return [];
  if (!existsSync('/proc')) return [`process group ${group}`];
  const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return processes.flatMap((id) => {
    try {
      // proc(5): pid (name) state parent group ...
      const [, name, rest] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/${id}/stat`, 'latin1')) ?? [];
      const [state, , member] = rest.split(' ');
      return Number(member) === group && state !== 'Z' ? [`${name} (${id})`] : [];
    } catch {
      return []; // it ended meanwhile
    }
  });
}

/** Waits until the group is empty or the time is over. @returns who is left */
async function leftIn(group, limitMs) {
  for (const end = Date.now() + limitMs; ; await after(50)) {
    const left = livingIn(group);
    if (left.length === 0 || Date.now() > end) return left;
  }
}

const args = process.argv.slice(2);
const words = args.filter((arg) => !arg.startsWith('-'));
const files = chosenFiles(TESTS, words);
if (files.length === 0) {
  process.stderr.write(`No test file matches ${words.join(' ')}.\n`);
  process.exit(2);
}
const paths = files.map((path) => relative(process.cwd(), join(TESTS, path)));
const runner = startRunner(
  paths,
  args.filter((arg) => arg.startsWith('-')),
);

let interrupted;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = signal;
    signalGroup(runner.pid, signal);
    setTimeout(() => signalGroup(runner.pid, 'SIGKILL'), GRACE_MS).unref(); // where the runner itself hangs
  });
}

runner.on('exit', async (code, signal) => {
  const left = await leftIn(runner.pid, interrupted === undefined ? LEAVING_MS : GRACE_MS);
  if (left.length > 0) signalGroup(runner.pid, 'SIGKILL');
  const ending = interrupted ?? signal;
  if (ending !== undefined && ending !== null) process.exit(128 + constants.signals[ending]);
  if (left.length > 0) process.stderr.write(`A test left behind what is now ended: ${left.join(', ')}.\n`);
  process.exit(code === 0 && left.length > 0 ? 1 : code);
});
