import assert from 'node:assert/strict';
import { test } from 'node:test';
import { megabytes } from '../../../src/release/image/megabytes.ts';

test('megabytes are decimal, as Docker Hub shows them', () => {
  assert.deepEqual([0, 49_999, 50_000, 1_048_576, 123_456_789].map(megabytes), [
    '0.0',
    '0.0',
    '0.1',
    '1.0',
    '123.5',
  ]);
});
