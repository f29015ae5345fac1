import * as z from 'zod/mini';

// What this page reads of the gateway's answers; /openapi.json has the whole of them.

export const Health = z.object({ version: z.string() });

export const Models = z.object({ data: z.array(z.object({ id: z.string() })) });

const time = z.pipe(
  z.string(),
  z.transform((text) => Date.parse(text)),
);

const Provider = z.object({
  id: z.string(),
  configured: z.boolean(),
  state: z.enum(['closed', 'open', 'half-open']),
  answered_at: z.nullable(time),
  last_error: z.nullable(z.object({ at: time, message: z.string() })),
});
export type Provider = z.infer<typeof Provider>;
export const Providers = z.object({ data: z.array(Provider) });

const sums = {
  requests: z.number(),
  errors: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  cost_usd: z.nullable(z.number()),
  unpriced_requests: z.number(),
  average_ms: z.number(),
};
const UsageRow = z.object({
  hour: z.optional(time),
  day: z.optional(time),
  model: z.optional(z.string()),
  key: z.optional(z.object({ id: z.string(), name: z.nullable(z.string()) })),
  ...sums,
});
export type UsageRow = z.infer<typeof UsageRow>;
export type UsageTotal = Pick<UsageRow, keyof typeof sums>;
export const Usage = z.object({ total: z.object(sums), data: z.array(UsageRow) });

const Key = z.object({
  id: z.string(),
  name: z.string(),
  state: z.enum(['active', 'expired', 'revoked']),
  scopes: z.array(z.string()),
  created_at: time,
  expires_at: z.nullable(time),
  requests_per_minute: z.nullable(z.number()),
  tokens_per_minute: z.nullable(z.number()),
  monthly_budget_usd: z.nullable(z.number()),
});
export type Key = z.infer<typeof Key>;
export const Keys = z.object({ data: z.array(Key) });
export const IssuedKey = z.object({ key: z.string() });
