import { z } from 'zod';

/**
 * What is recorded of a request, as columns of the table `usage` (store/migrations.ts). Never what was asked or
 * answered.
 */
export const Entry = z.object({
  /** When it ended, in microseconds since 1970; no two are the same. */
  at: z.int(),
  request_id: z.string(),
  key_id: z.string(),
  endpoint: z.string(),
  /** As the client wrote it. */
  model: z.string(),
  provider: z.string().nullable(),
  upstream_model: z.string().nullable(),
  status: z.int(),
  streamed: z.literal([0, 1]),
  input_tokens: z.int().nullable(),
  output_tokens: z.int().nullable(),
  cached_tokens: z.int().nullable(),
  /** In nano-dollars; null where the tokens or the model's price are not known. */
  cost: z.int().nullable(),
  measured: z.enum(['provider', 'estimate']),
  ms: z.int(),
  first_byte_ms: z.int().nullable(),
  tries: z.int(),
});
export type Entry = z.infer<typeof Entry>;

export const COLUMNS = Object.keys(Entry.shape) as readonly (keyof Entry)[];

/** Which model was paid for: the provider's own where it went to one. */
export function billedModel({ provider, upstream_model, model }: Entry): string {
  return provider === null ? model : `${provider}/${upstream_model ?? model}`;
}
