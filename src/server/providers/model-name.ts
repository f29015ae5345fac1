import { PROVIDERS, type ProviderName } from './provider.ts';

/** A model of a provider. */
export interface Target {
  readonly provider: ProviderName;
  /** The provider's own name for it. */
  readonly model: string;
}

const LONGEST = 200;

/** How names begin of which it is known without a provider in front whose they are. */
export const FAMILIES: Readonly<Record<ProviderName, readonly string[]>> = {
  openai: [
    'gpt-',
    'chatgpt-',
    'codex-',
    'o1',
    'o3',
    'o4',
    'ft:',
    'text-embedding-3-',
    'text-embedding-ada-',
    'computer-use-',
  ],
  anthropic: ['claude-'],
  google: ['gemini-', 'gemma-', 'text-embedding-00'],
};

/**
 * Reads the name of a model: `openai/gpt-4o`, or `gpt-4o` alone where its family says whose it is.
 *
 * @returns undefined where it is none, or nobody knows whose
 */
export function readModelName(name: string): Target | undefined {
  const slash = name.indexOf('/');
  const prefix = name.slice(0, Math.max(slash, 0));
  const provider = PROVIDERS.find((known) => known === prefix);
  if (provider !== undefined) return target(provider, name.slice(slash + 1));
  const family = PROVIDERS.find((known) => FAMILIES[known].some((beginning) => name.startsWith(beginning)));
  return family === undefined ? undefined : target(family, name);
}

/** A name becomes a part of a path, so that it may not climb out of it. */
function target(provider: ProviderName, model: string): Target | undefined {
  const plain = /^[!-~]+$/.test(model) && model.length <= LONGEST;
  const climbs = model.split('/').some((part) => part === '' || part === '.' || part === '..');
  return plain && !climbs ? { provider, model } : undefined;
}

export function nameOf({ provider, model }: Target): string {
  return `${provider}/${model}`;
}
