// The reporter of test/run.mjs: node's "spec", then the matrix of a folder that has one, and the summary once more
// where anything stands below it, so that it is always the last thing printed.
// What test/faults.mjs is told is left out.
//
// A folder's matrix.json lists the cases that its tests have to show: [case, file, regular expression for the names
// of its tests]. A name is that of the test after those of its suites, with " > " between them.
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { spec as Spec } from 'node:test/reporters';

const SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) /;
/** Whether all tests of a file run. */
const WHOLE = !process.execArgv.some((word) => /^--test-(name-pattern|skip-pattern|only)/.test(word));

/** The tests of all files, by the file. */
class Results {
  /** @type {Map<string, { names: string[], nesting: number, passed: boolean, ms: number }[]>} */
  #files = new Map();

  add({ file, name, nesting, details }, passed) {
    const tests = this.#files.get(file) ?? [];
    this.#files.set(file, tests);
    if (details.type !== 'suite') {
      tests.push({ names: [name], nesting, passed, ms: details.duration_ms });
      return;
    }
    // A suite is told after what is in it.
    for (const test of tests.filter((one) => one.nesting > nesting)) {
      test.names.unshift(name);
      test.nesting = nesting;
    }
  }

  folders() {
    return [
      ...new Set([...this.#files.keys()].filter((file) => file !== undefined).map((file) => dirname(file))),
    ];
  }

  /** The tests of a file whose name matches; `undefined` where the file did not run. */
  of(file, pattern) {
    return this.#files.get(file)?.filter(({ names }) => pattern.test(names.join(' > ')));
  }
}

/** A line for each case of a folder's matrix whose file ran. @returns the lines, and whether a case was not shown */
function matrixOf(folder, results) {
  const { title, cases } = JSON.parse(readFileSync(join(folder, 'matrix.json'), 'utf8'));
  const lines = [];
  let lacking = false;
  for (const [name, file, pattern] of cases) {
    const tests = results.of(join(folder, file), new RegExp(pattern));
    if (tests === undefined || (tests.length === 0 && !WHOLE)) continue;
    const passed = tests.length > 0 && tests.every((test) => test.passed);
    lacking ||= tests.length === 0;
    const seconds = (tests.reduce((sum, { ms }) => sum + ms, 0) / 1_000).toFixed(1);
    const what = tests.length === 0 ? `no test in ${basename(file)} is named like it` : `${seconds} s`;
    lines.push(
      `  ${passed ? '✔' : '✖'} ${name} (${tests.length > 1 ? `${tests.length} tests, ` : ''}${what})`,
    );
  }
  const left = cases.length - lines.length;
  if (lines.length > 0) lines.unshift(`\n${title}${left > 0 ? ` (${left} not run)` : ''}`);
  return { lines, lacking };
}

// biome-ignore lint/style/noDefaultExport: node takes the reporter from there
export default async function* report(events) {
  const summary = [];
  const results = new Results();
  let failed = false;
  async function* watched() {
    for await (const event of events) {
      const { nesting, message } = event.data;
      if (event.type === 'test:diagnostic' && message.startsWith('faults: ')) continue;
      if (event.type === 'test:fail') failed = true;
      if (event.type === 'test:pass' || event.type === 'test:fail')
        results.add(event.data, event.type === 'test:pass');
      if (event.type === 'test:diagnostic' && nesting === 0 && SUMMARY.test(message)) summary.push(message);
      yield event;
    }
  }
  yield* Readable.from(watched()).pipe(new Spec());
  const folders = results.folders().filter((folder) => existsSync(join(folder, 'matrix.json')));
  const matrices = folders.map((folder) => matrixOf(folder, results));
  const lines = matrices.flatMap((matrix) => matrix.lines);
  if (matrices.some(({ lacking }) => lacking)) process.exitCode = 1;
  for (const line of lines) yield `${line}\n`;
  if (failed || lines.length > 0) yield `\n${summary.map((line) => `ℹ ${line}\n`).join('')}`;
}
