import type { MiddlewareHandler } from 'hono';
import { ApiError } from './api-error.ts';
import type { HttpEnvironment } from './environment.ts';
import type { Proxies } from './proxies.ts';

/** Asked from within the container or the cluster, by plain HTTP. They tell nothing that matters. */
const ALWAYS = new Set(['/health', '/ready']);
const HSTS = `max-age=${365 * 24 * 60 * 60}`;

/**
 * Serves by HTTPS alone: what came otherwise is sent there where it is a page, and refused where it is the API,
 * whose clients have to learn that they have sent their key in the clear.
 *
 * @param publicUrl where users reach the service; the Host header could be anybody's
 * @param exempt further paths that are served by plain HTTP
 */
export function httpsOnly(
  publicUrl: string,
  proxies: Proxies,
  exempt: readonly string[],
): MiddlewareHandler<HttpEnvironment> {
  return async (context, next) => {
    const { path, method, url } = context.req;
    const incoming = context.env?.incoming;
    if (incoming !== undefined && proxies.isSecure(incoming)) {
      context.header('Strict-Transport-Security', HSTS);
      return next();
    }
    if (ALWAYS.has(path) || exempt.includes(path)) return next();
    const isPage = (method === 'GET' || method === 'HEAD') && !path.startsWith('/v1/');
    if (isPage) return context.redirect(publicUrl + path + new URL(url).search, 308);
    throw new ApiError(403, {
      code: 'https_required',
      message: `This service is used by HTTPS alone: ${publicUrl}. If a key was sent in the clear, replace it.`,
    });
  };
}
