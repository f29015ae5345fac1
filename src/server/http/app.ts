import { OpenAPIHono } from '@hono/zod-openapi';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import type { ReadinessCheck } from '../readiness.ts';
import type { HttpEnvironment } from './environment.ts';
import { errorReply, notFound } from './error-reply.ts';
import { addHealth } from './health.ts';
import { addOpenApi } from './openapi.ts';
import { addReady } from './ready.ts';
import { requestLog } from './request-log.ts';
import { addRoot } from './root.ts';

export interface AppParts {
  readonly logger: Logger;
  readonly readiness: readonly ReadinessCheck[];
}

const LONGEST_REQUEST_ID = 128;

/** The HTTP interface: what every answer has, then a line a route. It opens no port. */
export function createApp({ logger, readiness }: AppParts): OpenAPIHono<HttpEnvironment> {
  const app = new OpenAPIHono<HttpEnvironment>();
  app.use(requestLog(logger));
  app.use(requestId({ limitLength: LONGEST_REQUEST_ID }));
  app.use(
    secureHeaders({
      // These answers are data: a browser that is led to show one as a page may load and frame nothing.
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      // Only the proxy that ends TLS knows that HTTPS works here; promising it over plain HTTP is no use.
      strictTransportSecurity: false,
      xFrameOptions: 'DENY',
    }),
  );
  app.notFound(notFound);
  app.onError(errorReply(logger));
  addRoot(app);
  addHealth(app);
  addReady(app, readiness);
  addOpenApi(app);
  return app;
}
