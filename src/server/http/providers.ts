import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { Gateway } from '../gateway/gateway.ts';
import type { ProviderKeys } from '../gateway/provider-keys.ts';
import { PROVIDERS, type ProviderName } from '../providers/provider.ts';
import type { Authorize, HttpEnvironment } from './environment.ts';
import { errorResponses } from './error-responses.ts';

const time = z.iso.datetime().nullable();

const Provider = z
  .object({
    id: z.enum(PROVIDERS),
    object: z.literal('provider'),
    configured: z.boolean().meta({ description: 'Whether there is a key for it.' }),
    state: z.enum(['closed', 'open', 'half-open']).meta({
      description:
        'Of its circuit breaker: closed is well; open, it failed too often and is left alone for a while; half-open, one request tries it.',
    }),
    answered_at: time.meta({
      description: 'When it last began an answer; null where it did not since the start.',
    }),
    last_error: z
      .object({ at: z.iso.datetime(), message: z.string() })
      .nullable()
      .meta({ description: 'The last failure that was its own and not the request’s.' }),
  })
  .openapi('Provider');

const route = createRoute({
  method: 'get',
  path: '/v1/providers',
  operationId: 'listProviders',
  summary: 'How the providers are',
  description: 'As seen from the requests that went there since the start. Asks none of them.',
  tags: ['Operations'],
  security: [{ key: [] }],
  responses: {
    200: {
      description: 'All providers, with a key or without.',
      content: {
        'application/json': { schema: z.object({ object: z.literal('list'), data: z.array(Provider) }) },
      },
    },
    ...errorResponses(401, 403, 429, 500),
  },
});

/** `GET /v1/providers`, for keys with the scope `usage`. */
export function addProviders(
  app: OpenAPIHono<HttpEnvironment>,
  authorize: Authorize,
  gateway: Gateway,
  keys: ProviderKeys,
): void {
  app.openAPIRegistry.registerPath(route);
  app.get(route.path, authorize('usage'), (context) => {
    context.header('Cache-Control', 'no-store');
    const data = PROVIDERS.map((provider) => view(provider, gateway, keys));
    return context.json({ object: 'list' as const, data });
  });
}

function view(provider: ProviderName, gateway: Gateway, keys: ProviderKeys): z.infer<typeof Provider> {
  const { state, answeredAt, lastError } = gateway.condition(provider);
  return {
    id: provider,
    object: 'provider',
    configured: keys.of(provider) !== undefined,
    state,
    answered_at: answeredAt === undefined ? null : new Date(answeredAt).toISOString(),
    last_error:
      lastError === undefined
        ? null
        : { at: new Date(lastError.at).toISOString(), message: lastError.sentence },
  };
}
