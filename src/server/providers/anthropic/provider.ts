import { z } from '@hono/zod-openapi';
import { ApiError } from '../../http/api-error.ts';
import { ChatRequest } from '../chat-request.ts';
import { MalformedAnswer, type ModelPage, type Provider } from '../provider.ts';
import { noResponses, readRequest } from '../request-fault.ts';
import { readMessage } from './answer.ts';
import { messagesRequest } from './request.ts';
import { MessageStream } from './stream.ts';

/** The version of the API that is spoken here; the latest, and the only one since 2023. */
const VERSION = '2023-06-01';
const MODELS_PATH = '/v1/models?limit=1000';

const Models = z.object({
  data: z.array(z.object({ id: z.string(), created_at: z.string().nullish() })),
  has_more: z.boolean().nullish(),
  last_id: z.string().nullish(),
});

/** Anthropic's Messages API. */
export const anthropic: Provider = {
  name: 'anthropic',
  headers: (key) => ({ 'x-api-key': key, 'anthropic-version': VERSION }),
  chat(request, model) {
    const chat = readRequest(request, ChatRequest);
    const created = Math.floor(Date.now() / 1000);
    const exchange = {
      path: '/v1/messages',
      body: request.restore(JSON.stringify(messagesRequest(chat, model))),
      read: (body: Buffer) => readMessage(body, created),
    };
    if (!chat.stream) return exchange;
    const withUsage = chat.stream_options?.include_usage === true;
    return { ...exchange, readStream: () => new MessageStream(created, withUsage) };
  },
  embeddings() {
    throw new ApiError(400, {
      code: 'unsupported',
      message: 'Anthropic has no embeddings. Use a model of openai/ or google/.',
      param: 'model',
    });
  },
  responses() {
    throw noResponses();
  },
  modelsPath: MODELS_PATH,
  keyCheckPath: '/v1/models?limit=1',
  readModels,
};

function readModels(body: Buffer): ModelPage {
  try {
    const { data, has_more, last_id } = Models.parse(JSON.parse(body.toString()));
    const models = data.map(({ id, created_at }) => ({ id, created: seconds(created_at) }));
    return has_more && last_id
      ? { models, next: `${MODELS_PATH}&after_id=${encodeURIComponent(last_id)}` }
      : { models };
  } catch {
    throw new MalformedAnswer('no list of models');
  }
}

function seconds(time: string | null | undefined): number {
  const milliseconds = Date.parse(time ?? '');
  return Number.isNaN(milliseconds) ? 0 : Math.floor(milliseconds / 1000);
}
