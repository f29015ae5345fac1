import { z } from '@hono/zod-openapi';
import { JsonMembers } from '../json-members.ts';
import { NotAnObject } from '../json-scanner.ts';
import { type Answer, type Exchange, MalformedAnswer, type ModelPage, type Provider } from '../provider.ts';
import { unsupported } from '../request-fault.ts';
import { ChatStream } from './chat-stream.ts';
import { ResponsesStream } from './responses-stream.ts';
import { readUsage } from './usage.ts';

const Options = z.object({ include_usage: z.boolean().nullish() }).loose().nullish().catch(undefined);

const Models = z.object({ data: z.array(z.object({ id: z.string(), created: z.number().catch(0) })) });

/**
 * OpenAI and what speaks its protocol. Requests and answers pass as they are, but for the model's name, and
 * for `stream_options`: the usage is asked for even where the client did not, so that it can be counted.
 */
export const openai: Provider = {
  name: 'openai',
  headers: (key) => ({ authorization: `Bearer ${key}` }),
  chat(request, model) {
    if (request.get('stream') !== true) return passed('/chat/completions', request, { model });
    const options = Options.parse(request.get('stream_options'));
    if (options?.include_usage === true) {
      const exchange = passed('/chat/completions', request, { model });
      return { ...exchange, readStream: () => new ChatStream({ hideUsage: false }) };
    }
    const stream_options = { ...options, include_usage: true };
    const exchange = passed('/chat/completions', request, { model, stream_options });
    return { ...exchange, readStream: () => new ChatStream({ hideUsage: true }) };
  },
  embeddings: (request, model) => passed('/embeddings', request, { model }),
  responses(request, model) {
    if (request.get('background') === true) {
      throw unsupported(
        'openai',
        'background',
        'Its answer would be fetched later, past all limits and usage.',
      );
    }
    const exchange = passed('/responses', request, { model });
    if (request.get('stream') !== true) return exchange;
    return { ...exchange, readStream: () => new ResponsesStream() };
  },
  modelsPath: '/models',
  keyCheckPath: '/models',
  readModels,
};

/** The request as it came but for these members. */
function passed(
  path: string,
  request: JsonMembers,
  members: { readonly model: string; readonly stream_options?: object },
): Exchange {
  const untouched = members.stream_options === undefined && request.get('model') === members.model;
  return { path, body: untouched ? request.bytes : request.with(members), read };
}

function read(body: Buffer): Answer {
  try {
    const tokens = readUsage(new JsonMembers(body).get('usage'));
    return { body, ...(tokens === undefined ? {} : { tokens }) };
  } catch (error) {
    if (error instanceof NotAnObject) throw new MalformedAnswer(error.message);
    throw error;
  }
}

function readModels(body: Buffer): ModelPage {
  try {
    return { models: Models.parse(JSON.parse(body.toString())).data };
  } catch {
    throw new MalformedAnswer('no list of models');
  }
}
