import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import type { MiddlewareHandler } from 'hono';
import { type ApiDocument, apiPage } from './docs/page.ts';
import { STYLE } from './docs/style.ts';
import type { HttpEnvironment } from './environment.ts';
import { apiDocument } from './openapi.ts';

/** The page has its own style sheet and nothing else: no script, no picture, nothing from elsewhere. */
const POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const page = createRoute({
  method: 'get',
  path: '/docs',
  operationId: 'docs',
  summary: 'This description of the API as a page',
  tags: ['Pages'],
  responses: { 200: { description: 'The page.', content: { 'text/html': { schema: z.string() } } } },
});

const style = createRoute({
  method: 'get',
  path: '/docs/style.css',
  operationId: 'docsStyle',
  summary: 'How that page looks',
  tags: ['Pages'],
  responses: { 200: { description: 'The style sheet.', content: { 'text/css': { schema: z.string() } } } },
});

const secured: MiddlewareHandler<HttpEnvironment> = async (context, next) => {
  context.header('Content-Security-Policy', POLICY);
  context.header('Cache-Control', 'no-cache');
  await next();
};

/** `GET /docs`: made once, of what /openapi.json says. */
export function addDocs(app: OpenAPIHono<HttpEnvironment>): void {
  let made: Promise<string> | undefined;
  app.openAPIRegistry.registerPath(page);
  app.get(page.path, secured, async (context) => {
    made ??= apiPage(shownOf(app));
    return context.html(await made);
  });
  app.openAPIRegistry.registerPath(style);
  app.get(style.path, secured, (context) => {
    context.header('Content-Type', 'text/css; charset=utf-8');
    return context.body(STYLE);
  });
}

function shownOf(app: OpenAPIHono<HttpEnvironment>): ApiDocument {
  const { info, paths, components } = apiDocument(app);
  return { info, paths, schemas: components?.schemas } as ApiDocument;
}
