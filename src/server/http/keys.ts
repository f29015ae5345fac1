import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { bodyLimit } from 'hono/body-limit';
import { draftOf, IssuedKeyView, issuedViewOf, KeyRequest, KeyView, viewOf } from '../keys/key-json.ts';
import type { Keyring } from '../keys/keyring.ts';
import { ApiError } from './api-error.ts';
import type { Authorize, HttpEnvironment } from './environment.ts';
import { ErrorBody } from './error-reply.ts';
import { errorResponses } from './error-responses.ts';
import { json } from './json-content.ts';

const DEFAULT_OVERLAP_HOURS = 24;
const LONGEST_OVERLAP_HOURS = 30 * 24;
const AN_HOUR = 3_600_000;
const LARGEST_BODY = 64 * 1024;

const Key = KeyView.openapi('Key');
const IssuedKey = IssuedKeyView.openapi('IssuedKey');
const KeyList = z.object({ object: z.literal('list'), data: z.array(Key) }).openapi('KeyList');
const Rotation = z
  .strictObject({
    overlap_hours: z
      .number()
      .min(0)
      .max(LONGEST_OVERLAP_HOURS)
      .default(DEFAULT_OVERLAP_HOURS)
      .meta({ description: 'How long the old key is still accepted.' }),
  })
  .openapi('KeyRotation');

const params = z.object({ id: z.string().meta({ example: '0f1e2d3c4b5a' }) });
const security = [{ key: [] }];
const tags = ['Keys'];
const failures = errorResponses(400, 401, 403, 413, 500, 503);
const unknown = { description: 'There is no such key, or it is revoked.', content: json(ErrorBody) };

const list = createRoute({
  method: 'get',
  path: '/v1/keys',
  operationId: 'listKeys',
  summary: 'All client keys, the newest first',
  tags,
  security,
  responses: { 200: { description: 'The keys.', content: json(KeyList) }, ...failures },
});

const draft = { name: 'laptop', scopes: ['chat', 'models'], requests_per_minute: 60, monthly_budget_usd: 5 };

const create = createRoute({
  method: 'post',
  path: '/v1/keys',
  operationId: 'createKey',
  summary: 'Create a client key',
  tags,
  security,
  request: { body: { required: true, content: json(KeyRequest.openapi('KeyRequest'), draft) } },
  responses: { 201: { description: 'Made.', content: json(IssuedKey) }, ...failures },
});

const rotate = createRoute({
  method: 'post',
  path: '/v1/keys/{id}/rotate',
  operationId: 'rotateKey',
  summary: 'Give a client key a new secret',
  description: 'Its id, limits and usage stay. The old secret is accepted for a while longer.',
  tags,
  security,
  request: { params, body: { content: json(Rotation, { overlap_hours: 24 }) } },
  responses: {
    200: { description: 'Rotated.', content: json(IssuedKey) },
    ...failures,
    ...errorResponses(404),
  },
});

const revoke = createRoute({
  method: 'delete',
  path: '/v1/keys/{id}',
  operationId: 'revokeKey',
  summary: 'Revoke a client key, at once and for ever',
  tags,
  security,
  request: { params },
  responses: { 200: { description: 'Revoked.', content: json(Key) }, 404: unknown, ...failures },
});

/** `/v1/keys`: client keys, for who has the scope `admin`. */
export function addKeys(app: OpenAPIHono<HttpEnvironment>, authorize: Authorize, keyring: Keyring): void {
  app.use('/v1/keys/*', authorize('admin'), bodyLimit({ maxSize: LARGEST_BODY, onError: tooLarge }));
  app.use('/v1/keys/*', async (context, next) => {
    context.header('Cache-Control', 'no-store');
    await next();
  });
  app.openapi(list, (context) =>
    context.json({ object: 'list' as const, data: keyring.list().map((key) => viewOf(key)) }, 200),
  );
  app.openapi(create, (context) =>
    context.json(issuedViewOf(keyring.create(draftOf(context.req.valid('json')))), 201),
  );
  app.openapi(rotate, (context) => {
    const hours = context.req.valid('json').overlap_hours ?? DEFAULT_OVERLAP_HOURS;
    const issued = keyring.rotate(context.req.valid('param').id, Math.round(hours * AN_HOUR));
    if (issued === undefined) throw noSuchKey();
    return context.json(issuedViewOf(issued), 200);
  });
  app.openapi(revoke, (context) => {
    const key = keyring.revoke(context.req.valid('param').id);
    if (key === undefined) throw noSuchKey();
    return context.json(viewOf(key), 200);
  });
}

function tooLarge(): never {
  const message = 'A key is described in less than 64 KiB.';
  throw new ApiError(413, { code: 'request_too_large', message });
}

function noSuchKey(): ApiError {
  const message = 'There is no such key, or it is revoked. GET /v1/keys lists them.';
  return new ApiError(404, { code: 'key_not_found', message, param: 'id' });
}
