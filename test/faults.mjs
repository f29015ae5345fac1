// Runs the tests that do harm, and prints what was done, how often, and what was lost: node test/faults.mjs [NAME...]
//
//   NAME   only files with NAME in their path below test/
//
// They are those that report by test/count-faults.ts; the table is made of their reports alone and written to
// docs/bench/FAULTS.md, too, where all of them ran.
//
// Exit code: 0 nothing was lost, 1 something was, a test failed or a file reported nothing.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const TESTS = import.meta.dirname;
const TABLE = join(TESTS, '../docs/bench/FAULTS.md');

/** The test files that report, as paths below test/. */
function reportingFiles(names) {
  return readdirSync(TESTS, { recursive: true })
    .filter((path) => path.endsWith('.test.ts'))
    .filter((path) => names.length === 0 || names.some((name) => path.includes(name)))
    .filter((path) => readFileSync(join(TESTS, path), 'utf8').includes('/count-faults.ts'))
    .sort();
}

/** Runs them, beside the reporter that people read. @returns whether all passed, and the reports */
function run(files) {
  const folder = mkdtempSync(join(tmpdir(), 'thoth-faults-'));
  const reports = join(folder, 'reports');
  try {
    const options = [
      `--test-reporter=${join(TESTS, 'fault-reporter.mjs')}`,
      `--test-reporter-destination=${reports}`,
    ];
    const { status } = spawnSync(process.execPath, [join(TESTS, 'run.mjs'), ...files, ...options], {
      stdio: 'inherit',
    });
    const lines = readFileSync(reports, 'utf8').trim().split('\n');
    return {
      passed: status === 0,
      reports: lines.filter((line) => line !== '').map((line) => JSON.parse(line)),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Adds up what one file reports of one fault. */
function addUp(reports) {
  const rows = new Map();
  for (const { file, fault, times, lost } of reports) {
    const key = `${file}\n${fault}`;
    const row = rows.get(key) ?? { file, fault, times: 0, lost: {} };
    row.times += times;
    for (const [what, count] of Object.entries(lost)) row.lost[what] = (row.lost[what] ?? 0) + count;
    rows.set(key, row);
  }
  return [...rows.values()].sort((a, b) => a.file.localeCompare(b.file));
}

function tableOf(rows) {
  const lines = rows.map(({ file, fault, times, lost }) => {
    const none = Object.entries(lost).map(([what, count]) => `${count} ${what}`);
    return `| ${fault} | ${times} | ${none.join(', ')} | [${file.replace(/(\.itg)?\.test\.ts$/, '')}](../../test/${file}) |`;
  });
  return ['| What was done | Times | Lost | By |', '|---|---|---|---|', ...lines, ''].join('\n');
}

const names = process.argv.slice(2);
const files = reportingFiles(names);
const { passed, reports } = run(files);
const rows = addUp(reports);
const table = tableOf(rows);
const silent = files.filter((file) => !rows.some((row) => row.file === file));
const losses = rows.filter(({ lost }) => Object.values(lost).some((count) => count > 0));

process.stdout.write(`\n${table}\n${files.length} suites; rows with a loss: ${losses.length}\n`);
for (const file of silent) process.stderr.write(`${file} reported nothing.\n`);
const good = files.length > 0 && passed && silent.length === 0 && losses.length === 0;
if (good && names.length === 0) {
  mkdirSync(join(TABLE, '..'), { recursive: true });
  const head =
    '# Faults\n\nWhat the tests do to a release and to the service, and what it cost. Written by `make faults`.\n\n';
  writeFileSync(TABLE, `${head}${table}`);
}
process.exitCode = good ? 0 : 1;
