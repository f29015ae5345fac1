import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { VERSION } from '../version.ts';
import type { HttpEnvironment } from './environment.ts';

const Root = z
  .object({
    name: z.literal('thoth'),
    version: z.string(),
    links: z.record(z.string(), z.string()),
  })
  .openapi('Root');

const route = createRoute({
  method: 'get',
  path: '/',
  operationId: 'root',
  summary: 'What this is and where its parts are',
  responses: {
    200: { description: 'Name, version and links.', content: { 'application/json': { schema: Root } } },
  },
});

const LINKS = { health: '/health', ready: '/ready', openapi: '/openapi.json', docs: '/docs' };

/** `GET /`: a signpost. */
export function addRoot(app: OpenAPIHono<HttpEnvironment>): void {
  app.openapi(route, (context) =>
    context.json({ name: 'thoth' as const, version: VERSION, links: LINKS }, 200),
  );
}
