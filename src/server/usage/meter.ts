import type { Caller } from '../keys/caller.ts';

export interface Tokens {
  readonly input: number;
  readonly output: number;
  /** Those of `input` that the provider had in its cache. */
  readonly cachedInput?: number;
}

/** A request that is to go upstream. */
export interface Call {
  readonly requestId: string;
  readonly caller: Caller;
  readonly endpoint: 'chat.completions' | 'embeddings' | 'responses';
  /** As the client wrote it. */
  readonly model: string;
  readonly streamed: boolean;
}

/** What became of it. */
export interface Outcome {
  /** Where it went, if anywhere. */
  readonly provider?: string;
  readonly upstreamModel?: string;
  /** What the client got; 499 where it left. */
  readonly status: number;
  readonly tokens?: Tokens;
  /** `estimate`: the stream was cut before the provider told. */
  readonly measured: 'provider' | 'estimate';
  readonly firstByteMs?: number;
  readonly tries: number;
}

export interface OpenCall {
  /** Exactly once, whatever happened; never throws. */
  close(outcome: Outcome): void;
}

export interface Meter {
  /**
   * Reserves room against the key's limits before anything goes upstream; exact under concurrency.
   *
   * @param estimate tokens of the input, and the most that the answer may have
   * @throws HTTPException 429 in OpenAI's error shape, with Retry-After: the key's rate limit, or
   * `insufficient_quota` where its budget is spent
   */
  open(call: Call, estimate: { readonly input: number; readonly maxOutput: number }): OpenCall;
}
