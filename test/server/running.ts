import OpenAI from 'openai';
import { openAccounts } from '../../src/server/accounts.ts';
import { ModelNames } from '../../src/server/gateway/models.ts';
import { ProviderKeys } from '../../src/server/gateway/provider-keys.ts';
import type { Authorize } from '../../src/server/http/environment.ts';
import { Listener } from '../../src/server/http/listener.ts';
import type { Caller } from '../../src/server/keys/caller.ts';
import { createLogger } from '../../src/server/log.ts';
import type { ReadinessCheck } from '../../src/server/readiness.ts';
import { createService, type Service } from '../../src/server/service.ts';
import { readSettings } from '../../src/server/settings/read.ts';
import { freePort } from './free-port.ts';
import { RecordingMeter } from './recording-meter.ts';

const CALLER: Caller = {
  keyId: 'key-1',
  name: 'test',
  scopes: new Set(['chat', 'embeddings', 'models', 'usage', 'admin']),
};

/** Lets everybody in. */
const anybody: Authorize = () => async (context, next) => {
  context.set('caller', CALLER);
  await next();
};

/** The service without a port, and what it logs and meters. */
export interface Assembled {
  readonly service: Service;
  readonly meter: RecordingMeter;
  readonly lines: Record<string, unknown>[];
}

/** Puts the service together with these settings, and a key of each provider. */
export function assemble(
  environment: Readonly<Record<string, string>> = {},
  readiness: readonly ReadinessCheck[] = [],
): Assembled {
  const settings = readSettings({
    OPENAI_API_KEY: 'key-of-openai',
    ANTHROPIC_API_KEY: 'key-of-anthropic',
    GOOGLE_API_KEY: 'key-of-google',
    ...environment,
  });
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>);
  const logger = createLogger(settings, { write });
  const meter = new RecordingMeter();
  const keys = new ProviderKeys(
    settings,
    () => settings,
    logger,
    () => undefined,
  );
  const names = new ModelNames(settings, keys);
  // Keys and usage of no data directory: nobody asks for them here.
  const accounts = { ...openAccounts(settings, logger, () => []), meter, authorize: anybody };
  return {
    service: createService({ settings, logger, keys, names, accounts, readiness }),
    meter,
    lines,
  };
}

/** The service on a port of loopback. */
export class Running {
  readonly url: string;
  readonly meter: RecordingMeter;
  readonly lines: Record<string, unknown>[];
  readonly listener: Listener;
  readonly #service: Service;

  private constructor(port: number, listener: Listener, { service, meter, lines }: Assembled) {
    this.url = `http://127.0.0.1:${port}`;
    this.listener = listener;
    this.meter = meter;
    this.lines = lines;
    this.#service = service;
  }

  static async start(environment: Readonly<Record<string, string>>): Promise<Running> {
    const assembled = assemble(environment);
    const listener = new Listener(assembled.service.app.fetch);
    const port = await freePort();
    await listener.listen(port, '127.0.0.1');
    return new Running(port, listener, assembled);
  }

  /** OpenAI's own client, which sends each request once unless told otherwise. */
  client(maxRetries = 0): OpenAI {
    return new OpenAI({ baseURL: `${this.url}/v1`, apiKey: 'sk-client', maxRetries });
  }

  /** Posts JSON, or a text as it is. */
  async post(path: string, body: unknown, options: RequestInit = {}): Promise<Response> {
    return await fetch(this.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      ...options,
    });
  }

  async stop(): Promise<void> {
    await this.listener.drain(0);
    await this.#service.close();
  }
}
