import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { accepts } from 'hono/accepts';
import { VERSION } from '../version.ts';
import { CONSOLE_POLICY, consoleFile } from './console.ts';
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
  summary: 'The console for browsers; for programs, what this is and where its parts are',
  tags: ['Pages'],
  responses: {
    200: {
      description: 'A page where `Accept` has `text/html`, else name, version and links.',
      content: { 'application/json': { schema: Root }, 'text/html': { schema: z.string() } },
    },
  },
});

const LINKS = { health: '/health', ready: '/ready', openapi: '/openapi.json', docs: '/docs' };
const TYPES = ['application/json', 'text/html'];

/** `GET /`: the console, or a signpost. */
export function addRoot(app: OpenAPIHono<HttpEnvironment>): void {
  app.openapi(route, async (context) => {
    context.header('Vary', 'Accept');
    const type = accepts(context, { header: 'Accept', supports: TYPES, default: 'application/json' });
    if (type === 'application/json') {
      return context.json({ name: 'thoth' as const, version: VERSION, links: LINKS }, 200);
    }
    context.header('Content-Security-Policy', CONSOLE_POLICY);
    context.header('Cache-Control', 'no-cache');
    return context.html((await consoleFile('index.html')) ?? '', 200);
  });
}
