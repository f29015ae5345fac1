import { z } from 'zod';
import { dollarsOf, nanosOf } from '../usage/money.ts';
import { SCOPES } from './caller.ts';
import type { ClientKey, KeyDraft } from './client-key.ts';
import type { IssuedKey } from './keyring.ts';

const LONGEST_NAME = 100;
const MOST_A_MINUTE = 1_000_000_000;
const SMALLEST_BUDGET = 0.000_001;
const LARGEST_BUDGET = 1_000_000;

const aMinute = z.int().min(1).max(MOST_A_MINUTE).nullable();
const budget = z.number().min(SMALLEST_BUDGET).max(LARGEST_BUDGET).nullable();

/** A key that is to be made, as HTTP and the command line take it. */
export const KeyRequest = z.strictObject({
  name: z
    .string()
    .trim()
    .min(1)
    .max(LONGEST_NAME)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: those are what is refused
    .regex(/^[^\u0000-\u001f\u007f]*$/, 'must be one line of text')
    .meta({ description: 'For people: who or what it is for.', example: 'laptop' }),
  scopes: z
    .array(z.enum(SCOPES))
    .min(1)
    .default(['chat', 'embeddings', 'models'])
    .meta({ description: 'What it may be used for. `admin` is everything, keys too.' }),
  expires_at: z.iso
    .datetime({ offset: true })
    .refine((text) => Date.parse(text) > Date.now(), 'must be in the future')
    .nullable()
    .default(null),
  requests_per_minute: aMinute.default(null),
  tokens_per_minute: aMinute.default(null),
  monthly_budget_usd: budget.default(null).meta({ description: 'US dollars in a calendar month, UTC.' }),
});
export type KeyRequest = z.infer<typeof KeyRequest>;

/** A key as HTTP and `--json` show it. */
export const KeyView = z.object({
  id: z.string().meta({ example: '0f1e2d3c4b5a' }),
  name: z.string(),
  state: z.enum(['active', 'expired', 'revoked']),
  scopes: z.array(z.enum(SCOPES)),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
  revoked_at: z.iso.datetime().nullable(),
  requests_per_minute: aMinute,
  tokens_per_minute: aMinute,
  monthly_budget_usd: budget,
});
export type KeyView = z.infer<typeof KeyView>;

/** A key that was just made, or rotated, with its token. */
export const IssuedKeyView = KeyView.extend({
  key: z.string().meta({ description: 'The key itself. It is shown this once.', example: 'thoth_...' }),
});
export type IssuedKeyView = z.infer<typeof IssuedKeyView>;

export function draftOf(request: KeyRequest): KeyDraft {
  const { name, scopes, expires_at, monthly_budget_usd } = request;
  return {
    name,
    scopes: SCOPES.filter((scope) => scopes.includes(scope)),
    expiresAt: expires_at === null ? null : Date.parse(expires_at),
    limits: {
      requestsPerMinute: request.requests_per_minute,
      tokensPerMinute: request.tokens_per_minute,
      monthlyBudget: monthly_budget_usd === null ? null : nanosOf(monthly_budget_usd),
    },
  };
}

export function viewOf(key: ClientKey, now = Date.now()): KeyView {
  const { requestsPerMinute, tokensPerMinute, monthlyBudget } = key.limits;
  return {
    id: key.id,
    name: key.name,
    state: stateOf(key, now),
    scopes: [...key.scopes],
    created_at: iso(key.createdAt),
    expires_at: key.expiresAt === null ? null : iso(key.expiresAt),
    revoked_at: key.revokedAt === null ? null : iso(key.revokedAt),
    requests_per_minute: requestsPerMinute,
    tokens_per_minute: tokensPerMinute,
    monthly_budget_usd: monthlyBudget === null ? null : dollarsOf(monthlyBudget),
  };
}

export function issuedViewOf({ key, token }: IssuedKey): IssuedKeyView {
  return { ...viewOf(key), key: token };
}

function stateOf({ revokedAt, expiresAt }: ClientKey, now: number): KeyView['state'] {
  if (revokedAt !== null) return 'revoked';
  return expiresAt !== null && expiresAt <= now ? 'expired' : 'active';
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
