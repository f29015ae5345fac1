import { z } from '@hono/zod-openapi';
import type { Context, ErrorHandler, NotFoundHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { Logger } from 'pino';
import { Failure } from '../failure.ts';
import { ApiError } from './api-error.ts';
import type { HttpEnvironment } from './environment.ts';

/**
 * The body of every error: OpenAI's shape, so that its clients read it.
 * Source: the "Error codes" guide and the `Error` schema of OpenAI's API reference.
 */
export const ErrorBody = z
  .object({
    error: z.object({
      message: z.string().meta({ description: 'What is wrong and what to do about it.' }),
      type: z.string().meta({ description: 'The kind of error.', example: 'invalid_request_error' }),
      param: z.string().nullable().meta({ description: 'The parameter at fault.' }),
      code: z.string().nullable().meta({ description: 'What programs act on.', example: 'model_not_found' }),
    }),
  })
  .openapi('Error');
export type ErrorBody = z.infer<typeof ErrorBody>;

/** An error's body. */
export function errorBody({ message, type, param, code }: ApiError): ErrorBody {
  return { error: { message, type, param, code } };
}

/**
 * OpenAI's clients wait no longer, in seconds: told to wait for the next month they would ask again at once, unless
 * they are told not to. Source: `shouldRetry` and `retryRequest` of openai-node.
 */
const LONGEST_WAIT = 60;

/** Answers a request for something that isn't there: 404. */
export const notFound: NotFoundHandler<HttpEnvironment> = (context) =>
  reply(
    context,
    new ApiError(404, {
      code: 'unknown_url',
      message: `Unknown request URL: ${context.req.method} ${context.req.path}.`,
    }),
  );

/** Answers a request by a method that its path has no use for: 405. */
export function wrongMethod(context: Context<HttpEnvironment>, allowed: readonly string[]) {
  const { method, path } = context.req;
  context.header('Allow', allowed.join(', '));
  const message = `${path} is not there for ${method}, but for ${allowed.join(', ')}.`;
  return reply(context, new ApiError(405, { code: 'method_not_allowed', message }));
}

/** Answers what a handler threw: an HTTPException as it says, anything else is logged and answered 500. */
export function errorReply(logger: Logger): ErrorHandler<HttpEnvironment> {
  return (error, context) => {
    if (error instanceof ApiError) return reply(context, error);
    if (error instanceof HTTPException) return reply(context, named(error));
    const requestId = context.get('requestId');
    if (error instanceof Failure) {
      logger.warn({ faults: error.faults, requestId }, error.message);
      return reply(context, unavailable());
    }
    logger.error({ err: error, requestId }, 'a request failed');
    return reply(
      context,
      new ApiError(500, {
        code: 'internal_error',
        message: `The server had an error. Its log has more under request id ${requestId}.`,
      }),
    );
  };
}

/** What is wrong is the operator's business: it is in the log, and under /ready. */
function unavailable(): ApiError {
  const message = 'The service can not use its data at the moment. Try again later.';
  return new ApiError(503, { code: 'store_unavailable', message, retryAfter: 5 });
}

/** An HTTPException of the framework's has no code of its own. */
function named({ status, message }: HTTPException): ApiError {
  return new ApiError(status, {
    code: status < 500 ? 'invalid_request' : 'internal_error',
    message: message || 'The request could not be served.',
  });
}

function reply(context: Context, error: ApiError) {
  const { retryAfter } = error;
  if (retryAfter !== undefined) context.header('Retry-After', String(Math.ceil(retryAfter)));
  if (retryAfter !== undefined && retryAfter > LONGEST_WAIT) context.header('X-Should-Retry', 'false');
  return context.json(errorBody(error), error.status);
}
