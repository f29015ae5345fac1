import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { ChatCompletion } from '../providers/chat-answer.ts';
import { ChatRequest } from '../providers/chat-request.ts';
import type { Authorize, HttpEnvironment } from './environment.ts';
import { inquiryErrors } from './error-responses.ts';
import { type InquiryParts, inquiryHandler } from './inquiry.ts';

const example = {
  model: 'openai/gpt-4o-mini',
  messages: [{ role: 'user', content: 'What is an ibis?' }],
  max_completion_tokens: 200,
};

const route = createRoute({
  method: 'post',
  path: '/v1/chat/completions',
  operationId: 'createChatCompletion',
  summary: 'Have a conversation continued',
  description:
    "OpenAI's chat completions. What is not listed here passes to OpenAI as it is, and to no other provider. With `stream` the answer is a stream of server-sent events that ends with `[DONE]`.",
  tags: ['Models'],
  security: [{ key: [] }],
  request: { body: { required: true, content: { 'application/json': { schema: ChatRequest, example } } } },
  responses: {
    200: {
      description: 'The answer.',
      content: {
        'application/json': { schema: ChatCompletion },
        'text/event-stream': { schema: z.unknown() },
      },
    },
    ...inquiryErrors(),
  },
});

/** `POST /v1/chat/completions`. The body is checked by whoever reads it: for OpenAI, that is OpenAI. */
export function addChat(app: OpenAPIHono<HttpEnvironment>, authorize: Authorize, parts: InquiryParts): void {
  app.openAPIRegistry.registerPath(route);
  app.post(route.path, authorize('chat'), inquiryHandler('chat', parts));
}
