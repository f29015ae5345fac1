import type { z } from '@hono/zod-openapi';

/** A body of JSON, as OpenAPI describes one. */
export function json<T extends z.ZodType>(schema: T, example?: object) {
  return { 'application/json': { schema, ...(example === undefined ? {} : { example }) } };
}
