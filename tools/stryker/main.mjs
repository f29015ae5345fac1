// Runs Stryker and writes its score: tools/node.sh tools/stryker/main.mjs. Prints each change that no test noticed.
//
// The score goes into docs/bench/MUTATION.md and CONTRIBUTING.md, unless arguments name files of src/release: then only those are changed.
// Exit code: 0 the score is high enough, 1 it is not, or Stryker failed.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const HERE = import.meta.dirname;
const PROJECT = join(HERE, '../..');
const REPORT = join(PROJECT, '.thoth/mutation.json');
const SCORE = join(PROJECT, 'docs/bench/MUTATION.md');
const CONTRIBUTING = join(PROJECT, 'CONTRIBUTING.md');
const NOTICED = ['Killed', 'Timeout'];
const UNNOTICED = ['Survived', 'NoCoverage'];
/** The last score, where CONTRIBUTING.md tells it. */
const TOLD = /[\d.]+ %(?= of the changes are noticed)/;

/** Stryker's tap-runner starts whatever `node` is on the PATH, and this machine's own may be too old. */
function runStryker(args) {
  const bin = mkdtempSync(join(tmpdir(), 'thoth-stryker-'));
  symlinkSync(process.execPath, join(bin, 'node'));
  const stryker = join(HERE, 'node_modules/@stryker-mutator/core/bin/stryker.js');
  const { status } = spawnSync(
    process.execPath,
    [stryker, 'run', join(HERE, 'stryker.config.mjs'), ...args],
    {
      cwd: PROJECT,
      stdio: 'inherit',
      env: { ...process.env, PATH: [bin, process.env.PATH].join(delimiter) },
    },
  );
  rmSync(bin, { recursive: true, force: true });
  return status ?? 1;
}

/** A row a file, and one for all. */
function rowsOf({ files }) {
  const rows = Object.entries(files).map(([file, { mutants }]) => {
    const count = (statuses) => mutants.filter(({ status }) => statuses.includes(status)).length;
    return { file, noticed: count(NOTICED), unnoticed: count(UNNOTICED) };
  });
  const sum = (field) => rows.reduce((total, row) => total + row[field], 0);
  return [...rows, { file: 'all', noticed: sum('noticed'), unnoticed: sum('unnoticed') }];
}

function scoreOf({ noticed, unnoticed }) {
  return `${((100 * noticed) / (noticed + unnoticed)).toFixed(1)} %`;
}

function textOf(rows) {
  const lines = rows.map(
    (row) => `| ${row.file} | ${row.noticed + row.unnoticed} | ${row.unnoticed} | ${scoreOf(row)} |`,
  );
  return [
    '# Mutation score',
    '',
    'Written by `make mutation`: [Stryker](https://stryker-mutator.io) changes the decisions of `src/release` in one place at a',
    'time, all but the texts in them, and runs the tests that reach it. What no test notices is printed by the command.',
    '',
    '| File | Changes | Not noticed | Score |',
    '|---|---|---|---|',
    ...lines,
    '',
  ].join('\n');
}

const only = process.argv.slice(2);
const status = runStryker(only.length === 0 ? [] : ['--mutate', only.join(',')]);
if (status === 0 && only.length === 0) {
  mkdirSync(join(SCORE, '..'), { recursive: true });
  const rows = rowsOf(JSON.parse(readFileSync(REPORT, 'utf8')));
  writeFileSync(SCORE, textOf(rows));
  writeFileSync(CONTRIBUTING, readFileSync(CONTRIBUTING, 'utf8').replace(TOLD, scoreOf(rows.at(-1))));
}
process.exitCode = status;
