import type { Tokens } from '../usage/meter.ts';
import type { JsonMembers } from './json-members.ts';
import type { StreamReader } from './stream-reader.ts';

export const PROVIDERS = ['openai', 'anthropic', 'google'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** A request as a provider wants it, and how its answer is read. Whoever has one still has to send it. */
export interface Exchange {
  /** Below the provider's base URL, with a slash in front. */
  readonly path: string;
  readonly body: Uint8Array | string;
  /**
   * Reads a whole answer.
   *
   * @throws MalformedAnswer
   */
  readonly read: (body: Buffer) => Answer;
  /** Begins to read a streamed answer; there where one was asked for. */
  readonly readStream?: () => StreamReader;
}

/** A whole answer. */
export interface Answer {
  /** What the client gets, in OpenAI's shape. */
  readonly body: Uint8Array | string;
  /** Absent where the provider did not tell. */
  readonly tokens?: Tokens;
}

/** That an answer is none of its provider's: no JSON, or of another shape. */
export class MalformedAnswer extends Error {
  override readonly name = 'MalformedAnswer';
}

export interface Model {
  /** The provider's own name for it. */
  readonly id: string;
  /** Seconds since 1970; 0 where the provider does not tell. */
  readonly created: number;
}

/** A page of a provider's models, and where the next one is. */
export interface ModelPage {
  readonly models: readonly Model[];
  readonly next?: string;
}

/**
 * What is asked of a provider. All of it is pure: addresses, keys, time and the network are the gateway's.
 *
 * Each of the calls takes the client's request and the provider's own name of the model, and throws ApiError
 * 400 where the request is wrong or can't be said in the provider's terms.
 */
export interface Provider {
  readonly name: ProviderName;
  /** The headers that carry the key. */
  headers(key: string): Readonly<Record<string, string>>;
  chat(request: JsonMembers, model: string): Exchange;
  embeddings(request: JsonMembers, model: string): Exchange;
  responses(request: JsonMembers, model: string): Exchange;
  /** Where its models are listed. */
  readonly modelsPath: string;
  /** What is asked to see whether a key is good: it costs nothing. */
  readonly keyCheckPath: string;
  /** @throws MalformedAnswer */
  readModels(body: Buffer): ModelPage;
}
