import { z } from '@hono/zod-openapi';
import { ChatRequest } from '../chat-request.ts';
import { EmbeddingsRequest } from '../embeddings.ts';
import { MalformedAnswer, type ModelPage, type Provider } from '../provider.ts';
import { noResponses, readRequest } from '../request-fault.ts';
import { readGenerated } from './answer.ts';
import { embedRequest, readEmbedded } from './embeddings.ts';
import { generateRequest } from './request.ts';
import { GenerateStream } from './stream.ts';

const MODELS_PATH = '/v1beta/models?pageSize=1000';
const MODELS_PREFIX = 'models/';
/** What a model has to be able to do for Thoth to have a use for it. */
const METHODS = new Set(['generateContent', 'embedContent']);

const Models = z.object({
  models: z
    .array(z.object({ name: z.string(), supportedGenerationMethods: z.array(z.string()).catch([]) }))
    .nullish(),
  nextPageToken: z.string().nullish(),
});

/** Google's Gemini API. */
export const google: Provider = {
  name: 'google',
  headers: (key) => ({ 'x-goog-api-key': key }),
  chat(request, model) {
    const chat = readRequest(request, ChatRequest);
    const created = Math.floor(Date.now() / 1000);
    const body = request.restore(JSON.stringify(generateRequest(chat, model)));
    const read = (answer: Buffer) => readGenerated(answer, model, created);
    const path = `/v1beta/${pathOf(model)}`;
    if (!chat.stream) return { path: `${path}:generateContent`, body, read };
    const withUsage = chat.stream_options?.include_usage === true;
    const readStream = () => new GenerateStream(model, created, withUsage);
    return { path: `${path}:streamGenerateContent?alt=sse`, body, read, readStream };
  },
  embeddings(request, model) {
    const embeddings = readRequest(request, EmbeddingsRequest);
    const path = pathOf(model);
    return {
      path: `/v1beta/${path}:batchEmbedContents`,
      body: request.restore(JSON.stringify(embedRequest(embeddings, path))),
      read: (answer) => readEmbedded(answer, embeddings, model),
    };
  },
  responses() {
    throw noResponses();
  },
  modelsPath: MODELS_PATH,
  keyCheckPath: '/v1beta/models?pageSize=1',
  readModels,
};

/** Models stand under models/, but for those that say otherwise, such as tunedModels/mine. */
function pathOf(model: string): string {
  const path = model.includes('/') ? model : `${MODELS_PREFIX}${model}`;
  return path.split('/').map(encodeURIComponent).join('/');
}

function readModels(body: Buffer): ModelPage {
  try {
    const { models, nextPageToken } = Models.parse(JSON.parse(body.toString()));
    const useful = (models ?? []).filter((model) =>
      model.supportedGenerationMethods.some((method) => METHODS.has(method)),
    );
    const page = useful.map(({ name }) => ({
      id: name.startsWith(MODELS_PREFIX) ? name.slice(MODELS_PREFIX.length) : name,
      created: 0,
    }));
    return nextPageToken
      ? { models: page, next: `${MODELS_PATH}&pageToken=${encodeURIComponent(nextPageToken)}` }
      : { models: page };
  } catch {
    throw new MalformedAnswer('no list of models');
  }
}
