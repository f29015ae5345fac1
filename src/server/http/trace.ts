import type { MiddlewareHandler } from 'hono';
import { routePath } from 'hono/route';
import { NO_SPAN, type Tracer } from '../telemetry/span.ts';
import type { HttpEnvironment } from './environment.ts';

/** Asked every few seconds by supervisors: not traced. */
const ROUTINE = new Set(['/health', '/ready', '/metrics']);

/** Makes a span of each request. Source of the names: "Semantic conventions for HTTP spans" of OpenTelemetry. */
export function trace(tracer: Tracer): MiddlewareHandler<HttpEnvironment> {
  return async (context, next) => {
    const { method, path } = context.req;
    const outgoing = context.env?.outgoing;
    if (ROUTINE.has(path) || outgoing === undefined) {
      context.set('span', NO_SPAN);
      return next();
    }
    const span = tracer.begin(method, 'server', context.req.header('traceparent'), {
      'http.request.method': method,
      'url.path': path,
      'thoth.request_id': context.get('requestId'),
    });
    context.set('span', span);
    outgoing.once('close', () => {
      const { statusCode, writableFinished } = outgoing;
      const route = routePath(context, -1);
      span.rename(`${method} ${route}`);
      span.set({ 'http.response.status_code': statusCode, 'http.route': route });
      if (!writableFinished) span.end('left');
      else span.end(statusCode < 500 ? undefined : String(statusCode));
    });
    await next();
  };
}
