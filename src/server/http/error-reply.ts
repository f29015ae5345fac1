import { z } from '@hono/zod-openapi';
import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import type { Logger } from 'pino';
import type { HttpEnvironment } from './environment.ts';

/**
 * The body of every error: OpenAI's shape, so that its clients read it.
 * Source: the "Error codes" guide and the `Error` schema of OpenAI's API reference.
 */
export const ErrorBody = z
  .object({
    error: z.object({
      message: z.string(),
      type: z.enum(['invalid_request_error', 'server_error']),
      param: z.string().nullable(),
      code: z.string().nullable(),
    }),
  })
  .openapi('Error');
export type ErrorBody = z.infer<typeof ErrorBody>;

/** An error's body. `type` follows from the status: from 500 on it is the server's fault. */
export function errorBody(status: number, code: string, message: string): ErrorBody {
  const type = status < 500 ? 'invalid_request_error' : 'server_error';
  return { error: { message, type, param: null, code } };
}

/** Answers a request for something that isn't there: 404. */
export const notFound: NotFoundHandler<HttpEnvironment> = (context) =>
  reply(context, 404, 'unknown_url', `Unknown request URL: ${context.req.method} ${context.req.path}.`);

/** Answers what a handler threw: an HTTPException as it says, anything else is logged and answered 500. */
export function errorReply(logger: Logger): ErrorHandler<HttpEnvironment> {
  return (error, context) => {
    if (error instanceof HTTPException) {
      const code = error.status < 500 ? 'invalid_request' : 'internal_error';
      return reply(context, error.status, code, error.message || 'The request could not be served.');
    }
    const requestId = context.get('requestId');
    logger.error({ err: error, requestId }, 'a request failed');
    return reply(
      context,
      500,
      'internal_error',
      `The server had an error. Its log has more under request id ${requestId}.`,
    );
  };
}

function reply(context: Context, status: ContentfulStatusCode, code: string, message: string) {
  return context.json(errorBody(status, code, message), status);
}
