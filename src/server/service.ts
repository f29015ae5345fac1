import type { Logger } from 'pino';
import type { Accounts } from './accounts.ts';
import { Gateway } from './gateway/gateway.ts';
import { ModelList } from './gateway/model-list.ts';
import type { ModelNames } from './gateway/models.ts';
import type { ProviderKeys } from './gateway/provider-keys.ts';
import { Upstream } from './gateway/upstream.ts';
import { createApp } from './http/app.ts';
import type { ReadinessCheck } from './readiness.ts';
import type { Settings } from './settings/schema.ts';
import { Metrics } from './telemetry/metrics.ts';
import { tracerOf } from './telemetry/tracer.ts';

export interface ServiceParts {
  readonly settings: Settings;
  readonly logger: Logger;
  readonly keys: ProviderKeys;
  readonly names: ModelNames;
  readonly accounts: Accounts;
  readonly readiness: readonly ReadinessCheck[];
}

/** The service without its port. */
export interface Service {
  readonly app: ReturnType<typeof createApp>;
  /** Ends what is under way to the providers, and sends what is left of traces. */
  close(): Promise<void>;
}

/** Puts the parts of the service together. */
export function createService(parts: ServiceParts): Service {
  const { settings, logger, keys, names, accounts, readiness } = parts;
  const metrics = new Metrics();
  metrics.watchUsage(() => accounts.recorder.waiting);
  const upstream = new Upstream(settings, keys);
  const gateway = new Gateway({ settings, upstream, meter: accounts.meter, metrics, logger });
  const models = new ModelList(upstream, keys, names, logger);
  const tracer = tracerOf(settings, logger);
  const app = createApp({
    settings,
    logger,
    readiness,
    accounts,
    gateway,
    keys,
    names,
    models,
    metrics,
    tracer,
  });
  const close = async () => {
    await upstream.close();
    await tracer.close();
  };
  return { app, close };
}
