import type { MiddlewareHandler } from 'hono';
import type { Logger } from 'pino';
import type { Span } from '../telemetry/span.ts';
import type { HttpEnvironment } from './environment.ts';
import type { Proxies } from './proxies.ts';

/** Asked every few seconds by supervisors: logged at debug. */
const ROUTINE = new Set(['/health', '/ready']);

/**
 * Logs each request when its last byte is sent or the client is gone: id, method, path, status, duration in
 * milliseconds, the client's address. The query is left out, since some clients put keys in it; headers and
 * bodies are too.
 */
export function requestLog(logger: Logger, proxies: Proxies): MiddlewareHandler<HttpEnvironment> {
  return async (context, next) => {
    const started = performance.now();
    // There is no environment where a test calls the app without a server.
    const { incoming, outgoing } = context.env ?? {};
    const client = incoming && proxies.clientOf(incoming);
    const write = (status: number, aborted: boolean) => {
      const { method, path } = context.req;
      const line = {
        requestId: context.get('requestId'),
        method,
        path,
        status,
        ms: Math.round((performance.now() - started) * 1000) / 1000,
        ...(client === undefined ? {} : { client }),
        ...traceOf(context.get('span')),
        ...(aborted ? { aborted } : {}),
      };
      logger[ROUTINE.has(path) ? 'debug' : 'info'](line, 'request');
    };
    outgoing?.once('close', () => write(outgoing.statusCode, !outgoing.writableFinished));
    await next();
    if (outgoing === undefined) write(context.res.status, false);
  };
}

function traceOf(span: Span | undefined): { traceId?: string } {
  return span?.traceId === undefined ? {} : { traceId: span.traceId };
}
