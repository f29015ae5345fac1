import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { ReleaseError } from '../../../src/release/errors.ts';
import { describeFailure } from '../../../src/release/machine/failure.ts';

const full = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC', path: '/data/plan.json' });
const denied = Object.assign(new Error('EACCES'), { code: 'EACCES', path: '/data' });
const flags = z.object({ format: z.enum(['json']) }).safeParse({ format: 'xml' }).error;

const CASES: readonly [string, unknown, number, RegExp][] = [
  [
    'a coded error',
    new ReleaseError('GIT_DIRTY', 'Dirty.', 'Commit.', ['a.ts']),
    2,
    /^error GIT_DIRTY: Dirty\.\n {2}a\.ts\nCommit\.\n$/,
  ],
  ['a full disk', full, 2, /^error DISK: \/data\/plan\.json .*full/],
  ['a folder that may not be written', denied, 2, /^error DISK: \/data may not be written/],
  ['an abort', new DOMException('aborted', 'AbortError'), 130, /^error INTERRUPTED/],
  ['a wrong flag', flags, 2, /^error USAGE.*\n {2}--format: /],
];

describe('what a person is told of a failure', () => {
  for (const [name, error, code, text] of CASES) {
    test(`${name}: exit code ${code}, no stack trace`, () => {
      const told = describeFailure(error, false);
      assert.equal(told.exitCode, code);
      assert.match(told.text, text);
      assert.doesNotMatch(told.text, /\n +at /);
      assert.equal(typeof JSON.parse(describeFailure(error, true).text).error.code, 'string');
    });
  }

  test('a bug: exit code 1, and the lines to report', () => {
    const told = describeFailure(new TypeError('x is undefined'), false);
    assert.equal(told.exitCode, 1);
    assert.match(told.text, /a bug[\s\S]*x is undefined\n +at /);
  });
});
