import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CATALOGUE, type ErrorCode, EXIT, ReleaseError } from '../../src/release/errors.ts';

const codes = Object.entries(CATALOGUE) as [ErrorCode, number][];

test('each code ends with an exit code that is documented, and none with success or a bug', () => {
  const known: number[] = [
    EXIT.badInput,
    EXIT.scanGate,
    EXIT.imagePolicy,
    EXIT.network,
    EXIT.refused,
    EXIT.scanData,
    130,
  ];
  for (const [code, exit] of codes) {
    assert.match(code, /^[A-Z]+(_[A-Z]+)*$/);
    assert.ok(known.includes(exit), `${code} ends with ${exit}`);
    assert.equal(new ReleaseError(code, '', '').exitCode, exit);
  }
});

test('the exit codes are those that others rely on', () => {
  assert.deepEqual(EXIT, {
    done: 0,
    bug: 1,
    badInput: 2,
    scanGate: 3,
    imagePolicy: 4,
    network: 5,
    refused: 6,
    scanData: 7,
  });
});

/** What a script may branch on: a code must not move to another exit code unseen. */
const promised: readonly (readonly [ErrorCode, number])[] = [
  ['VERSION_INVALID', 2],
  ['SETTING_INVALID', 2],
  ['TOOL_MISSING', 2],
  ['SCAN_GATE', 3],
  ['IMAGE_POLICY', 4],
  ['START_FAILED', 4],
  ['REGISTRY_UNREACHABLE', 5],
  ['BASE_IMAGE', 5],
  ['SIGNER_UNKNOWN', 2],
  ['SIGN_KEY', 2],
  ['SIGN_FAILED', 5],
  ['VERIFY_FAILED', 6],
  ['TAG_IMMUTABLE', 6],
  ['PLAN_STALE', 6],
  ['LAYOUT_CORRUPT', 6],
  ['SCAN_DATA', 7],
  ['INTERRUPTED', 130],
];
for (const [code, exit] of promised) {
  test(`${code} exits ${exit}`, () => assert.equal(CATALOGUE[code], exit));
}

test('an error carries its message, its remedy and its facts', () => {
  const cause = new Error('below');
  const error = new ReleaseError('SCAN_GATE', 'It is so.', 'Do this.', ['one', 'two'], cause);
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'ReleaseError');
  assert.equal(error.message, 'It is so.');
  assert.equal(error.cause, cause);
});

test('as JSON it has this shape, and neither a stack nor a cause', () => {
  const error = new ReleaseError('SCAN_GATE', 'It is so.', 'Do this.', ['one'], new Error('below'));
  assert.deepEqual(JSON.parse(JSON.stringify(error)), {
    error: { code: 'SCAN_GATE', message: 'It is so.', remedy: 'Do this.', details: ['one'] },
  });
});

test('without facts and cause there are none', () => {
  const error = new ReleaseError('DISK', 'Full.', 'Free some.');
  assert.deepEqual(error.details, []);
  assert.ok(!('cause' in error));
});
