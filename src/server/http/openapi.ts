import type { OpenAPIHono } from '@hono/zod-openapi';
import { VERSION } from '../version.ts';
import type { HttpEnvironment } from './environment.ts';

/** `GET /openapi.json`: OpenAPI 3.1, made from the schemas of the routes. */
export function addOpenApi(app: OpenAPIHono<HttpEnvironment>): void {
  app.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'Thoth',
      version: VERSION,
      description: 'One OpenAI-compatible API over OpenAI, Anthropic and Google.',
      license: { name: 'MIT' },
    },
  });
}
