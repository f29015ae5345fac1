import { ApiError } from '../http/api-error.ts';
import { readModelName, type Target } from '../providers/model-name.ts';
import type { Settings } from '../settings/schema.ts';
import { keySetting, type ProviderKeys } from './provider-keys.ts';

type ModelSettings = Pick<Settings, 'MODEL_ALIASES' | 'MODEL_FALLBACKS'>;

/** Which models of which providers a client's name for a model means. */
export class ModelNames {
  readonly #aliases: ReadonlyMap<string, readonly string[]>;
  readonly #fallbacks: ReadonlyMap<string, readonly string[]>;
  readonly #keys: ProviderKeys;

  constructor({ MODEL_ALIASES, MODEL_FALLBACKS }: ModelSettings, keys: ProviderKeys) {
    this.#aliases = MODEL_ALIASES ?? new Map();
    this.#fallbacks = MODEL_FALLBACKS ?? new Map();
    this.#keys = keys;
  }

  /** The names that are set for others. */
  get aliases(): readonly string[] {
    return [...this.#aliases.keys()];
  }

  /**
   * What a name means: the model itself, then those that stand in for it. Providers without a key are left out.
   *
   * @throws ApiError 404 where nothing is left
   */
  targetsOf(name: string): readonly [Target, ...Target[]] {
    const names = [...(this.#aliases.get(name) ?? [name]), ...(this.#fallbacks.get(name) ?? [])];
    const known = names.map(readModelName).filter((target) => target !== undefined);
    const [first, ...others] = known.filter(({ provider }) => this.#keys.of(provider) !== undefined);
    if (first !== undefined) return [first, ...others];
    throw unknownModel(name, known[0]);
  }
}

/** @param target what the name means, where that is known */
export function unknownModel(name: string, target?: Target): ApiError {
  const shown = `The model '${name.slice(0, 100)}' is not served here:`;
  const message =
    target === undefined
      ? `${shown} write it as openai/..., anthropic/... or google/..., or see GET /v1/models.`
      : `${shown} ${keySetting(target.provider)} is not set.`;
  return new ApiError(404, { code: 'model_not_found', message, param: 'model' });
}
