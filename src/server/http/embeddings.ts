import { createRoute, type OpenAPIHono } from '@hono/zod-openapi';
import { EmbeddingsAnswer, EmbeddingsRequest } from '../providers/embeddings.ts';
import type { Authorize, HttpEnvironment } from './environment.ts';
import { inquiryErrors } from './error-responses.ts';
import { type InquiryParts, inquiryHandler } from './inquiry.ts';

const example = { model: 'openai/text-embedding-3-small', input: 'An ibis is a bird.' };

const route = createRoute({
  method: 'post',
  path: '/v1/embeddings',
  operationId: 'createEmbeddings',
  summary: 'Turn texts into vectors',
  description: 'Of OpenAI and Google; Anthropic has none.',
  tags: ['Models'],
  security: [{ key: [] }],
  request: {
    body: { required: true, content: { 'application/json': { schema: EmbeddingsRequest, example } } },
  },
  responses: {
    200: { description: 'The vectors.', content: { 'application/json': { schema: EmbeddingsAnswer } } },
    ...inquiryErrors(),
  },
});

/** `POST /v1/embeddings`. */
export function addEmbeddings(
  app: OpenAPIHono<HttpEnvironment>,
  authorize: Authorize,
  parts: InquiryParts,
): void {
  app.openAPIRegistry.registerPath(route);
  app.post(route.path, authorize('embeddings'), inquiryHandler('embeddings', parts));
}
