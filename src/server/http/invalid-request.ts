import type { Hook } from '@hono/zod-openapi';
import { ApiError } from './api-error.ts';
import type { HttpEnvironment } from './environment.ts';

/** Refuses a request that is not as its route describes it: 400, with the first parameter that is wrong. */
export const invalidRequest: Hook<unknown, HttpEnvironment, string, unknown> = (result) => {
  if (result.success) return;
  const [issue] = result.error.issues;
  const path = issue?.path.join('.') ?? '';
  const message = path === '' ? `The request is wrong: ${issue?.message}.` : `${path}: ${issue?.message}.`;
  throw new ApiError(400, { code: 'invalid_request', message, ...(path === '' ? {} : { param: path }) });
};
