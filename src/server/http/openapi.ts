import type { OpenAPIHono } from '@hono/zod-openapi';
import { VERSION } from '../version.ts';
import type { HttpEnvironment } from './environment.ts';

/** OpenAPI 3.1, made from the schemas of the routes that `app` has by now. */
export function apiDocument(app: OpenAPIHono<HttpEnvironment>) {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'Thoth',
      version: VERSION,
      description: 'One OpenAI-compatible API over OpenAI, Anthropic and Google.',
      license: { name: 'MIT' },
    },
  });
}

/** `GET /openapi.json`. */
export function addOpenApi(app: OpenAPIHono<HttpEnvironment>): void {
  app.openAPIRegistry.registerComponent('securitySchemes', 'key', {
    type: 'http',
    scheme: 'bearer',
    description: 'A client key of this gateway, not one of a provider.',
  });
  let made: ReturnType<typeof apiDocument> | undefined;
  app.get('/openapi.json', (context) => {
    made ??= apiDocument(app);
    return context.json(made);
  });
}
