import type { Logger } from 'pino';
import { ApiError } from '../http/api-error.ts';
import { PROVIDER_BY_NAME } from '../providers/catalogue.ts';
import { nameOf } from '../providers/model-name.ts';
import type { Model, ProviderName } from '../providers/provider.ts';
import type { ModelNames } from './models.ts';
import type { ProviderKeys } from './provider-keys.ts';
import { type Upstream, wholeOf } from './upstream.ts';

/** Providers add models every few weeks. */
const KEEP_MS = 5 * 60_000;
const ANSWER_WITHIN_MS = 10_000;
const MOST_PAGES = 20;

/** A model as clients name it. */
export interface ListedModel {
  readonly id: string;
  readonly created: number;
  readonly ownedBy: ProviderName | 'thoth';
}

interface Known {
  readonly models: readonly Model[];
  readonly at: number;
}

/** Which models there are at the providers that have a key, and the names that are set for others. */
export class ModelList {
  readonly #upstream: Upstream;
  readonly #keys: ProviderKeys;
  readonly #names: ModelNames;
  readonly #logger: Logger;
  readonly #known = new Map<ProviderName, Known>();
  readonly #asking = new Map<ProviderName, Promise<void>>();

  constructor(upstream: Upstream, keys: ProviderKeys, names: ModelNames, logger: Logger) {
    this.#upstream = upstream;
    this.#keys = keys;
    this.#names = names;
    this.#logger = logger;
  }

  /**
   * All models. A provider that does not answer is left out, or as it was when it last did.
   *
   * @throws ApiError 502 where not one of the providers answers
   */
  async all(): Promise<readonly ListedModel[]> {
    const providers = this.#keys.given();
    await Promise.all(providers.map((provider) => this.#refresh(provider)));
    const known = providers.flatMap((provider) => {
      const entry = this.#known.get(provider);
      return entry === undefined ? [] : [{ provider, models: entry.models }];
    });
    if (known.length === 0 && providers.length > 0) {
      throw new ApiError(502, {
        code: 'upstream_error',
        message: 'No provider told its models. See the log of the gateway, or run "thoth check-keys".',
      });
    }
    const listed = known.flatMap(({ provider, models }) =>
      models.map(({ id, created }) => ({
        id: nameOf({ provider, model: id }),
        created,
        ownedBy: provider,
      })),
    );
    const aliases = this.#names.aliases.map((id) => ({ id, created: 0, ownedBy: 'thoth' as const }));
    return [...aliases, ...listed];
  }

  /** One request at a time, whoever waits for it. */
  async #refresh(provider: ProviderName): Promise<void> {
    const known = this.#known.get(provider);
    if (known !== undefined && performance.now() - known.at < KEEP_MS) return;
    const asking =
      this.#asking.get(provider) ?? this.#ask(provider).finally(() => this.#asking.delete(provider));
    this.#asking.set(provider, asking);
    await asking;
  }

  async #ask(provider: ProviderName): Promise<void> {
    try {
      this.#known.set(provider, { models: await this.#pages(provider), at: performance.now() });
    } catch (error) {
      this.#logger.warn({ provider, err: error }, 'a provider did not tell its models');
    }
  }

  async #pages(provider: ProviderName): Promise<readonly Model[]> {
    const { modelsPath, readModels } = PROVIDER_BY_NAME[provider];
    const target = { provider, model: 'models' };
    const signal = AbortSignal.timeout(ANSWER_WITHIN_MS);
    const models: Model[] = [];
    let path: string | undefined = modelsPath;
    for (let page = 0; path !== undefined && page < MOST_PAGES; page++) {
      const incoming = await this.#upstream.send({ path, streamed: false }, target, signal);
      const { models: more, next } = readModels(await wholeOf(incoming, target, signal));
      models.push(...more);
      path = next;
    }
    return models;
  }
}
