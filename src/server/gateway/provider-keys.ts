import type { Logger } from 'pino';
import { Failure, type Fault } from '../failure.ts';
import { PROVIDERS, type ProviderName } from '../providers/provider.ts';
import type { ReadinessCheck } from '../readiness.ts';
import { PROVIDER_KEYS, type Settings } from '../settings/schema.ts';
import type { Secret } from '../settings/secret.ts';

type KeySettings = Pick<Settings, (typeof PROVIDER_KEYS)[number]>;

const NAMES = { openai: 'OPENAI_API_KEY', anthropic: 'ANTHROPIC_API_KEY', google: 'GOOGLE_API_KEY' } as const;

/** The setting that holds a provider's key. */
export function keySetting(provider: ProviderName): (typeof PROVIDER_KEYS)[number] {
  return NAMES[provider];
}

/** The providers' keys as they are at the moment: they can be changed while the service runs. */
export class ProviderKeys {
  #keys: KeySettings;
  readonly #read: () => KeySettings;
  readonly #logger: Logger;
  readonly #onNew: (secret: Secret) => void;

  /**
   * @param read reads the settings anew; throws Failure
   * @param onNew is told of each new key, before it is used: the log has to keep it out
   */
  constructor(keys: KeySettings, read: () => KeySettings, logger: Logger, onNew: (secret: Secret) => void) {
    this.#keys = keys;
    this.#read = read;
    this.#logger = logger;
    this.#onNew = onNew;
  }

  of(provider: ProviderName): Secret | undefined {
    return this.#keys[keySetting(provider)];
  }

  /** The providers that have one. */
  given(): ProviderName[] {
    return PROVIDERS.filter((provider) => this.of(provider) !== undefined);
  }

  /** Reads the keys anew. Those in use stay where one of the new can't be read. */
  reload(): void {
    try {
      const keys = this.#read();
      const changed = PROVIDERS.filter((provider) => {
        const name = keySetting(provider);
        return keys[name]?.reveal() !== this.#keys[name]?.reveal();
      });
      for (const provider of changed) {
        const key = keys[keySetting(provider)];
        if (key !== undefined) this.#onNew(key);
      }
      this.#keys = keys;
      if (changed.length > 0) this.#logger.info({ providers: changed }, 'provider keys changed');
    } catch (error) {
      if (!(error instanceof Failure)) throw error;
      for (const fault of error.faults) this.#logger.error(fault, 'provider keys stay as they were');
    }
  }

  /** Readiness: at least one key must be given. */
  readonly check: ReadinessCheck = (): Fault | undefined =>
    this.given().length > 0
      ? undefined
      : {
          subject: PROVIDER_KEYS.join(', '),
          problem: 'no provider key is given',
          fix: 'Set at least one of them, or its *_FILE, and restart.',
        };
}
