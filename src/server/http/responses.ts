import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';

import type { Authorize, HttpEnvironment } from './environment.ts';
import { inquiryErrors } from './error-responses.ts';
import { type InquiryParts, inquiryHandler } from './inquiry.ts';

const ResponsesRequest = z
  .looseObject({
    model: z.string().min(1).meta({ example: 'openai/gpt-4o-mini' }),
    input: z.union([z.string(), z.array(z.looseObject({}))]),
    stream: z.boolean().nullish(),
  })
  .openapi('ResponsesRequest');

const ResponsesAnswer = z
  .looseObject({ id: z.string(), object: z.literal('response') })
  .openapi('Response', { description: "OpenAI's, as it comes." });

const example = { model: 'openai/gpt-4o-mini', input: 'What is an ibis?' };

const route = createRoute({
  method: 'post',
  path: '/v1/responses',
  operationId: 'createResponse',
  summary: "Ask a model of OpenAI's by its Responses API",
  description:
    'Requests and answers pass as they are. For models of other providers, and with `background`, it is answered 400 with the code `unsupported` or `unsupported_parameter`.',
  tags: ['Models'],
  security: [{ key: [] }],
  request: {
    body: { required: true, content: { 'application/json': { schema: ResponsesRequest, example } } },
  },
  responses: {
    200: {
      description: 'The answer.',
      content: {
        'application/json': { schema: ResponsesAnswer },
        'text/event-stream': { schema: z.unknown() },
      },
    },
    ...inquiryErrors(),
  },
});

/** `POST /v1/responses`. */
export function addResponses(
  app: OpenAPIHono<HttpEnvironment>,
  authorize: Authorize,
  parts: InquiryParts,
): void {
  app.openAPIRegistry.registerPath(route);
  app.post(route.path, authorize('chat'), inquiryHandler('responses', parts));
}
