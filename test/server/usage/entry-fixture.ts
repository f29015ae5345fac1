import type { Entry } from '../../../src/server/usage/entry.ts';

/** A request that cost a micro-dollar. */
export const REQUEST: Omit<Entry, 'at'> = {
  request_id: 'request',
  key_id: 'key',
  endpoint: 'chat.completions',
  model: 'fast',
  provider: 'openai',
  upstream_model: 'gpt-4o-mini',
  status: 200,
  streamed: 0,
  input_tokens: 10,
  output_tokens: 20,
  cached_tokens: null,
  cost: 1000,
  measured: 'provider',
  ms: 30,
  first_byte_ms: 5,
  tries: 1,
};
