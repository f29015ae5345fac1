import { anthropic } from './anthropic/provider.ts';
import { google } from './google/provider.ts';
import { openai } from './openai/provider.ts';
import type { Provider, ProviderName } from './provider.ts';

/** Every provider there is. */
export const PROVIDER_BY_NAME: Readonly<Record<ProviderName, Provider>> = { openai, anthropic, google };
