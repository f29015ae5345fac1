import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { describeExit, EXIT_MEANING, explained } from '../../ci/src/exit-code.ts';
import { CATALOGUE } from '../../src/release/errors.ts';

test('every exit code that thoth-release can end with has a meaning, and no other', () => {
  const codes = new Set<number>([1, ...Object.values(CATALOGUE)]);
  assert.deepEqual(
    Object.keys(EXIT_MEANING).map(Number),
    [...codes].sort((a, b) => a - b),
  );
});

test('docs/DAGGER.md lists the exit codes a caller may see', () => {
  const document = readFileSync(new URL('../../docs/DAGGER.md', import.meta.url), 'utf8');
  for (const code of Object.keys(EXIT_MEANING).filter((entry) => entry !== '130')) {
    assert.match(document, new RegExp(`^\\| ${code} \\| \\S`, 'm'), `exit code ${code}`);
  }
});

const CASES: readonly [string, number, string, RegExp][] = [
  ['a gate', 3, 'CVE-1', /^scan: the scan gate is closed.*\(exit code 3\)\.\nCVE-1$/s],
  ['nothing printed', 6, '', /^scan: refused.*\(exit code 6\)\.$/],
  ['a code with no meaning', 137, 'Killed', /^scan failed \(exit code 137\)\.\nKilled$/],
];
for (const [name, code, printed, expected] of CASES) {
  test(`an exit is one sentence, then what was printed: ${name}`, () =>
    assert.match(describeExit('scan', code, printed), expected));
}

test('of a long output the last lines are kept', () => {
  const printed = Array.from({ length: 100 }, (_, index) => `line ${index}.`).join('\n');
  const lines = describeExit('scan', 3, printed).split('\n');
  assert.equal(lines.length, 21);
  assert.equal(lines.at(-1), 'line 99.');
});

test('the error of the engine keeps its identity, so that its exit code reaches the caller', () => {
  const error = Object.assign(new Error('exit code: 3'), { exitCode: 3, stdout: 'table', stderr: '' });
  assert.equal(explained('scan', error), error);
  assert.match(error.message, /scan gate.*table/s);
  assert.equal(explained('build', new Error('no such image')).message, 'build failed: no such image');
});
