import type { Logger } from 'pino';
import { Gateway } from './gateway/gateway.ts';
import { ModelList } from './gateway/model-list.ts';
import { ModelNames } from './gateway/models.ts';
import type { ProviderKeys } from './gateway/provider-keys.ts';
import { Upstream } from './gateway/upstream.ts';
import { createApp } from './http/app.ts';
import type { Authorize } from './http/environment.ts';
import type { ReadinessCheck } from './readiness.ts';
import type { Settings } from './settings/schema.ts';
import { Metrics } from './telemetry/metrics.ts';
import type { Meter } from './usage/meter.ts';

export interface ServiceParts {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly keys: ProviderKeys;
  readonly meter: Meter;
  readonly authorize: Authorize;
  readonly readiness: readonly ReadinessCheck[];
}

/** The service without its port. */
export interface Service {
  readonly app: ReturnType<typeof createApp>;
  /** Ends what is under way to the providers. */
  close(): Promise<void>;
}

/** Puts the parts of the service together. */
export function createService(parts: ServiceParts): Service {
  const { settings, logger, keys, meter, authorize, readiness } = parts;
  const metrics = new Metrics();
  const upstream = new Upstream(settings, keys);
  const names = new ModelNames(settings, keys);
  const gateway = new Gateway({ settings, upstream, meter, metrics, logger });
  const models = new ModelList(upstream, keys, names, logger);
  const app = createApp({ settings, logger, readiness, authorize, gateway, keys, names, models, metrics });
  return { app, close: () => upstream.close() };
}
