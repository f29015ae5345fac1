import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { ListedModel, ModelList } from '../gateway/model-list.ts';
import { unknownModel } from '../gateway/models.ts';

import type { Authorize, HttpEnvironment } from './environment.ts';
import { errorResponses } from './error-responses.ts';

const Model = z
  .object({
    id: z.string().meta({ example: 'openai/gpt-4o-mini' }),
    object: z.literal('model'),
    created: z
      .number()
      .int()
      .meta({ description: 'Seconds since 1970; 0 where the provider does not tell.' }),
    owned_by: z.string().meta({ description: 'The provider; thoth for an alias.' }),
  })
  .openapi('Model');

const list = createRoute({
  method: 'get',
  path: '/v1/models',
  operationId: 'listModels',
  summary: 'Which models there are',
  description: 'Of all providers that have a key, and the aliases. Kept for five minutes.',
  tags: ['Models'],
  security: [{ key: [] }],
  responses: {
    200: {
      description: 'The models.',
      content: {
        'application/json': { schema: z.object({ object: z.literal('list'), data: z.array(Model) }) },
      },
    },
    ...errorResponses(401, 403, 429, 500, 502),
  },
});

const one = createRoute({
  method: 'get',
  path: '/v1/models/{id}',
  operationId: 'getModel',
  summary: 'One model',
  description: 'The slash of an id may be written as it is.',
  tags: ['Models'],
  security: [{ key: [] }],
  request: { params: z.object({ id: z.string().meta({ example: 'openai/gpt-4o-mini' }) }) },
  responses: {
    200: { description: 'The model.', content: { 'application/json': { schema: Model } } },
    ...errorResponses(401, 403, 404, 429, 500, 502),
  },
});

/** `GET /v1/models` and `GET /v1/models/{id}`. */
export function addModels(app: OpenAPIHono<HttpEnvironment>, authorize: Authorize, models: ModelList): void {
  app.openAPIRegistry.registerPath(list);
  app.get(list.path, authorize('models'), async (context) =>
    context.json({ object: 'list' as const, data: (await models.all()).map(shown) }),
  );
  app.openAPIRegistry.registerPath(one);
  app.get('/v1/models/:id{.+}', authorize('models'), async (context) => {
    const id = context.req.param('id');
    const model = (await models.all()).find((listed) => listed.id === id);
    if (model === undefined) throw unknownModel(id);
    return context.json(shown(model));
  });
}

function shown({ id, created, ownedBy }: ListedModel): z.infer<typeof Model> {
  return { id, object: 'model', created, owned_by: ownedBy };
}
