import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Caller } from '../keys/caller.ts';
import type { Keyring } from '../keys/keyring.ts';
import { dollarsOf } from '../usage/money.ts';
import type { Recorder } from '../usage/recorder.ts';
import { GROUPS, type RecordedEntry, type Sums, type UsageReport } from '../usage/report.ts';
import type { Authorize, HttpEnvironment } from './environment.ts';
import { errorResponses } from './error-responses.ts';
import { json } from './json-content.ts';

const AN_HOUR = 3_600_000;
const A_DAY = 24 * AN_HOUR;
const DEFAULT_DAYS = 30;
const MOST_REQUESTS = 1_000;

const moment = z.union([z.iso.date(), z.iso.datetime({ offset: true })]);

const ONE_GROUP = GROUPS.join('|');

const Query = z.strictObject({
  from: moment.optional().openapi({
    description: '30 days before `to` where it is not given.',
    param: { example: '2026-11-01' },
  }),
  to: moment
    .optional()
    .openapi({ description: 'Now where it is not given.', param: { example: '2026-12-01' } }),
  group_by: z
    .string()
    .regex(
      new RegExp(`^(${ONE_GROUP})(,(${ONE_GROUP})){0,${GROUPS.length - 1}}$`),
      `must be one of ${GROUPS.join(', ')}, or several with commas between`,
    )
    .transform((text) => text.split(','))
    .pipe(z.array(z.enum(GROUPS)))
    .optional()
    .meta({
      description: `By what to tell sums apart: ${GROUPS.join(', ')}, or several.`,
      example: 'day,model',
    }),
  key: z.string().optional().meta({ description: 'Only this key, by its id.', example: '0f1e2d3c4b5a' }),
  model: z.string().optional().meta({ description: 'Only this model.', example: 'openai/gpt-4o-mini' }),
});

const Key = z.object({ id: z.string(), name: z.string().nullable() });
const count = z.int().nonnegative();
const dollars = z
  .number()
  .nonnegative()
  .nullable()
  .meta({ description: 'US dollars; null where no price, or no token count, is known.' });

const UsageSums = z
  .object({
    hour: z.iso.datetime().optional(),
    day: z.iso.date().optional(),
    key: Key.optional(),
    model: z.string().optional(),
    requests: count,
    errors: count.meta({ description: 'Those that were answered with a status of 400 or more.' }),
    input_tokens: count,
    output_tokens: count,
    cached_tokens: count.meta({ description: 'Those of the input that the provider had in its cache.' }),
    cost_usd: dollars,
    unpriced_requests: count.meta({ description: 'Requests whose cost is not known, and not in the sum.' }),
    average_ms: z.number().nonnegative(),
  })
  .openapi('UsageSums');

const Usage = z
  .object({
    object: z.literal('list'),
    from: z.iso.datetime(),
    to: z.iso.datetime(),
    total: UsageSums,
    data: z.array(UsageSums),
  })
  .openapi('Usage');

const RequestsQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MOST_REQUESTS).default(100),
  before: z
    .string()
    .min(1) // an empty text would be the number 0
    .transform(Number)
    .pipe(z.int().nonnegative())
    .optional()
    .openapi({
      type: 'integer',
      minimum: 0,
      maximum: Number.MAX_SAFE_INTEGER,
      description: 'For the next page: `next_before` of this one.',
      example: 1_795_564_800_000_000,
    }),
});

const UsageRequest = z
  .object({
    ended_at: z.iso.datetime(),
    request_id: z.string(),
    key: Key,
    endpoint: z.string(),
    model: z.string().meta({ description: 'As the client wrote it.' }),
    provider: z.string().nullable(),
    upstream_model: z.string().nullable(),
    status: z.int(),
    streamed: z.boolean(),
    input_tokens: count.nullable(),
    output_tokens: count.nullable(),
    cached_tokens: count.nullable(),
    cost_usd: dollars,
    measured: z.enum(['provider', 'estimate']),
    ms: count,
    first_byte_ms: count.nullable(),
    tries: count,
  })
  .openapi('UsageRequest');

const UsageRequests = z
  .object({
    object: z.literal('list'),
    data: z.array(UsageRequest),
    next_before: z.int().nullable(),
  })
  .openapi('UsageRequests');

const failures = errorResponses(400, 401, 403, 500, 503);
const tags = ['Usage'];
const security = [{ key: [] }];
const WHOSE = 'A key with the scope `admin` sees every key, one with `usage` itself alone.';

const sumsRoute = createRoute({
  method: 'get',
  path: '/v1/usage',
  operationId: 'usage',
  summary: 'Requests, tokens and cost over time',
  description: `${WHOSE} Times are UTC, in whole hours.`,
  tags,
  security,
  request: { query: Query },
  responses: { 200: { description: 'The sums.', content: json(Usage) }, ...failures },
});

const requestsRoute = createRoute({
  method: 'get',
  path: '/v1/usage/requests',
  operationId: 'usageRequests',
  summary: 'Single requests, the newest first',
  description: `${WHOSE} They are kept for USAGE_DAYS. What was asked and answered is never recorded.`,
  tags,
  security,
  request: { query: RequestsQuery },
  responses: { 200: { description: 'The requests.', content: json(UsageRequests) }, ...failures },
});

export interface UsageParts {
  readonly authorize: Authorize;
  readonly keyring: Keyring;
  readonly recorder: Recorder;
  readonly report: UsageReport;
}

/** `GET /v1/usage` and `GET /v1/usage/requests`. */
export function addUsage(
  app: OpenAPIHono<HttpEnvironment>,
  { authorize, keyring, recorder, report }: UsageParts,
): void {
  app.use('/v1/usage/*', authorize('usage'), async (context, next) => {
    context.header('Cache-Control', 'no-store');
    recorder.flush(); // to the last request
    await next();
  });

  app.openapi(sumsRoute, (context) => {
    const { group_by = [], key, model, ...query } = context.req.valid('query');
    const to = query.to === undefined ? Date.now() : Date.parse(query.to);
    const from = query.from === undefined ? to - DEFAULT_DAYS * A_DAY : Date.parse(query.from);
    const range = { from, to, keyId: visibleKey(context.var.caller, key), model };
    const names = new Map(keyring.list().map(({ id, name }) => [id, name]));
    const [total] = report.sums(range, []);
    const body = {
      object: 'list' as const,
      from: iso(Math.floor(from / AN_HOUR) * AN_HOUR),
      to: iso(Math.ceil(to / AN_HOUR) * AN_HOUR),
      total: viewOf(total ?? NOTHING, names),
      data: group_by.length === 0 ? [] : report.sums(range, group_by).map((sums) => viewOf(sums, names)),
    };
    return context.json(body, 200);
  });

  app.openapi(requestsRoute, (context) => {
    const { limit, before = Number.MAX_SAFE_INTEGER } = context.req.valid('query');
    const entries = report.requests(before, limit, visibleKey(context.var.caller, undefined));
    const next_before = entries.length < limit ? null : (entries.at(-1)?.at ?? null);
    return context.json({ object: 'list' as const, data: entries.map(requestView), next_before }, 200);
  });
}

const NOTHING: Sums = {
  requests: 0,
  errors: 0,
  input_tokens: 0,
  output_tokens: 0,
  cached_tokens: 0,
  cost: 0,
  unpriced: 0,
  ms: 0,
};

/** The key that a caller may see: any for an admin, else its own. */
function visibleKey(caller: Caller, asked: string | undefined): string | undefined {
  return caller.scopes.has('admin') ? asked : caller.keyId;
}

function viewOf(sums: Sums, names: ReadonlyMap<string, string>): z.infer<typeof UsageSums> {
  const { hour, day, key_id, model, requests, unpriced } = sums;
  return {
    ...(hour === undefined ? {} : { hour: iso(hour * AN_HOUR) }),
    ...(day === undefined ? {} : { day: iso(day * A_DAY).slice(0, 10) }),
    ...(key_id === undefined ? {} : { key: { id: key_id, name: names.get(key_id) ?? null } }),
    ...(model === undefined ? {} : { model }),
    requests,
    errors: sums.errors,
    input_tokens: sums.input_tokens,
    output_tokens: sums.output_tokens,
    cached_tokens: sums.cached_tokens,
    cost_usd: requests > 0 && unpriced === requests ? null : dollarsOf(sums.cost),
    unpriced_requests: unpriced,
    average_ms: requests === 0 ? 0 : Math.round(sums.ms / requests),
  };
}

function requestView(entry: RecordedEntry): z.infer<typeof UsageRequest> {
  const { at, key_id, key_name, cost, streamed, ...rest } = entry;
  return {
    ...rest,
    ended_at: iso(at / 1000),
    key: { id: key_id, name: key_name },
    streamed: streamed === 1,
    cost_usd: cost === null ? null : dollarsOf(cost),
  };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
