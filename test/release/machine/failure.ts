import assert from 'node:assert/strict';
import { ReleaseError } from '../../../src/release/errors.ts';

/** The error that `work` ends with; fails the test where it ends well, or with an error of another kind. */
export async function failure(work: Promise<unknown> | (() => unknown)): Promise<ReleaseError> {
  let error: unknown;
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (thrown) {
    error = thrown;
  }
  assert.ok(error instanceof ReleaseError, `no ReleaseError but ${error ?? 'none at all'}`);
  return error;
}
