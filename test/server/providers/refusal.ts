import assert from 'node:assert/strict';
import { ApiError } from '../../../src/server/http/api-error.ts';

/** The refusal that `work` ends in. */
export function refusalOf(work: () => unknown): ApiError {
  try {
    work();
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'it was not refused' });
}
