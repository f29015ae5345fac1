import type { Context } from 'hono';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { CLIENT_LEFT } from '../gateway/course.ts';
import { ApiError } from './api-error.ts';
import type { HttpEnvironment } from './environment.ts';

/** Tells when the client leaves before it has its whole answer. Its reason is an ApiError that nobody will read. */
export function clientSignal({ env }: Context<HttpEnvironment>): AbortSignal {
  const leaving = new AbortController();
  const outgoing = env?.outgoing;
  outgoing?.once('close', () => {
    if (outgoing.writableFinished) return;
    const message = 'The client left before it was answered.';
    leaving.abort(new ApiError(CLIENT_LEFT as ContentfulStatusCode, { code: 'client_left', message }));
  });
  return leaving.signal;
}
