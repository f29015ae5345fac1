import { OpenAPIHono } from '@hono/zod-openapi';
import { cors } from 'hono/cors';
import { methodNotAllowed } from 'hono/method-not-allowed';
import { requestId } from 'hono/request-id';
import { secureHeaders } from 'hono/secure-headers';
import type { Logger } from 'pino';
import type { Accounts } from '../accounts.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { ModelList } from '../gateway/model-list.ts';
import type { ModelNames } from '../gateway/models.ts';
import type { ProviderKeys } from '../gateway/provider-keys.ts';
import type { ReadinessCheck } from '../readiness.ts';
import type { Settings } from '../settings/schema.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { Tracer } from '../telemetry/span.ts';
import { Bodies } from './body.ts';
import { addChat } from './chat.ts';
import { addConsole } from './console.ts';
import { addDocs } from './docs.ts';
import { addEmbeddings } from './embeddings.ts';
import type { HttpEnvironment } from './environment.ts';
import { errorReply, notFound, wrongMethod } from './error-reply.ts';
import { addHealth } from './health.ts';
import { httpsOnly } from './https-only.ts';
import { invalidRequest } from './invalid-request.ts';
import { addKeys } from './keys.ts';
import { addMetrics } from './metrics.ts';
import { addModels } from './models.ts';
import { addOpenApi } from './openapi.ts';
import { addProviders } from './providers.ts';
import { Proxies } from './proxies.ts';
import { addReady } from './ready.ts';
import { requestLog } from './request-log.ts';
import { addResponses } from './responses.ts';
import { addRoot } from './root.ts';
import { trace } from './trace.ts';
import { addUsage } from './usage.ts';

export interface AppParts {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly readiness: readonly ReadinessCheck[];
  readonly accounts: Accounts;
  readonly gateway: Gateway;
  readonly keys: ProviderKeys;
  readonly names: ModelNames;
  readonly models: ModelList;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
}

const LONGEST_REQUEST_ID = 128;
const MEGABYTE = 1024 * 1024;
/** How long a browser need not ask again whether a page may call. */
const CORS_SECONDS = 600;

/** The HTTP interface: what every answer has, then a line a route. It opens no port. */
export function createApp(parts: AppParts): OpenAPIHono<HttpEnvironment> {
  const { settings, logger, readiness, accounts, gateway, keys, names, models, metrics, tracer } = parts;
  const { authorize, keyring } = accounts;
  const app = new OpenAPIHono<HttpEnvironment>({ defaultHook: invalidRequest });
  const proxies = new Proxies(settings.TRUSTED_PROXIES ?? []);
  app.use(requestLog(logger, proxies));
  app.use(requestId({ limitLength: LONGEST_REQUEST_ID }));
  app.use(trace(tracer));
  app.use(
    secureHeaders({
      // Answers are data, and a browser that is led to show one as a page may load and frame nothing; pages
      // bring a policy of their own.
      contentSecurityPolicy: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
      overwrite: false,
      // httpsOnly promises that, where it is true.
      strictTransportSecurity: false,
      xFrameOptions: 'DENY',
    }),
  );
  if (settings.PUBLIC_URL?.startsWith('https:')) {
    app.use(httpsOnly(settings.PUBLIC_URL, proxies, settings.METRICS === 'open' ? ['/metrics'] : []));
  }
  if (settings.CORS_ORIGINS !== undefined) {
    const exposeHeaders = ['X-Request-Id', 'X-Thoth-Model', 'Retry-After'];
    app.use('/v1/*', cors({ origin: [...settings.CORS_ORIGINS], exposeHeaders, maxAge: CORS_SECONDS }));
  }
  app.use(methodNotAllowed({ app, onMethodNotAllowed: wrongMethod }));
  app.notFound(notFound);
  app.onError(errorReply(logger));
  addRoot(app);
  addConsole(app);
  addHealth(app);
  addReady(app, readiness);
  addMetrics(app, authorize, metrics, settings.METRICS);
  const bodies = new Bodies(settings.MAX_BODY_MB * MEGABYTE);
  const promptLog = settings.LOG_PROMPTS === 'true' ? { promptLog: logger } : {};
  const inquiries = { gateway, names, bodies, ...promptLog };
  addChat(app, authorize, inquiries);
  addResponses(app, authorize, inquiries);
  addEmbeddings(app, authorize, inquiries);
  addModels(app, authorize, models);
  addProviders(app, authorize, gateway, keys);
  addKeys(app, authorize, keyring);
  addUsage(app, accounts);
  addOpenApi(app);
  addDocs(app);
  return app;
}
