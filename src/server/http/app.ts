import { OpenAPIHono } from '@hono/zod-openapi';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import type { Gateway } from '../gateway/gateway.ts';
import type { ModelList } from '../gateway/model-list.ts';
import type { ModelNames } from '../gateway/models.ts';
import type { ProviderKeys } from '../gateway/provider-keys.ts';
import type { ReadinessCheck } from '../readiness.ts';
import type { Settings } from '../settings/schema.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Bodies } from './body.ts';
import { addChat } from './chat.ts';
import { addEmbeddings } from './embeddings.ts';
import type { Authorize, HttpEnvironment } from './environment.ts';
import { errorReply, notFound } from './error-reply.ts';
import { addHealth } from './health.ts';
import { addMetrics } from './metrics.ts';
import { addModels } from './models.ts';
import { addOpenApi } from './openapi.ts';
import { addProviders } from './providers.ts';
import { addReady } from './ready.ts';
import { requestLog } from './request-log.ts';
import { addResponses } from './responses.ts';
import { addRoot } from './root.ts';

export interface AppParts {
  readonly settings: Pick<Settings, 'MAX_BODY_MB' | 'METRICS'>;
  readonly logger: Logger;
  readonly readiness: readonly ReadinessCheck[];
  readonly authorize: Authorize;
  readonly gateway: Gateway;
  readonly keys: ProviderKeys;
  readonly names: ModelNames;
  readonly models: ModelList;
  readonly metrics: Metrics;
}

const LONGEST_REQUEST_ID = 128;
const MEGABYTE = 1024 * 1024;

/** The HTTP interface: what every answer has, then a line a route. It opens no port. */
export function createApp(parts: AppParts): OpenAPIHono<HttpEnvironment> {
  const { settings, logger, readiness, authorize, gateway, keys, names, models, metrics } = parts;
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
  addMetrics(app, authorize, metrics, settings.METRICS);
  const inquiries = { gateway, names, bodies: new Bodies(settings.MAX_BODY_MB * MEGABYTE) };
  addChat(app, authorize, inquiries);
  addResponses(app, authorize, inquiries);
  addEmbeddings(app, authorize, inquiries);
  addModels(app, authorize, models);
  addProviders(app, authorize, gateway, keys);
  addOpenApi(app);
  return app;
}
