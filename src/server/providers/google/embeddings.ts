import { z } from '@hono/zod-openapi';
import { base64Of, type EmbeddingsAnswer, type EmbeddingsRequest } from '../embeddings.ts';
import { estimatedTokens } from '../estimate.ts';
import { type Answer, MalformedAnswer } from '../provider.ts';
import { unsupported } from '../request-fault.ts';

/** Source: `batchEmbedContents` of the Gemini API's reference. */
const Embedded = z.object({
  embeddings: z.array(z.object({ values: z.array(z.number()) })).min(1),
  usageMetadata: z.object({ promptTokenCount: z.number().nullish() }).nullish(),
});

/**
 * Turns a request for embeddings into one to Google's batchEmbedContents.
 *
 * @param path the model's, such as `models/gemini-embedding-001`
 * @throws ApiError 400 where the input is tokens: each provider counts its own
 */
export function embedRequest({ input, dimensions }: EmbeddingsRequest, path: string): { requests: object[] } {
  const requests = (typeof input === 'string' ? [input] : input).map((text) => {
    if (typeof text !== 'string') throw unsupported('google', 'input', 'It takes texts, not tokens.');
    return {
      model: path,
      content: { parts: [{ text }] },
      ...(dimensions ? { outputDimensionality: dimensions } : {}),
    };
  });
  return { requests };
}

/**
 * Turns Google's embeddings into OpenAI's.
 *
 * @throws MalformedAnswer
 */
export function readEmbedded(body: Buffer, request: EmbeddingsRequest, model: string): Answer {
  const { embeddings, usageMetadata } = parse(body);
  const told = usageMetadata?.promptTokenCount;
  const input = told ?? estimatedTokens(JSON.stringify(request.input).length);
  const answer: EmbeddingsAnswer = {
    object: 'list',
    data: embeddings.map(({ values }, index) => ({
      object: 'embedding',
      index,
      embedding: request.encoding_format === 'base64' ? base64Of(values) : values,
    })),
    model,
    usage: { prompt_tokens: input, total_tokens: input },
  };
  return {
    body: JSON.stringify(answer),
    ...(typeof told === 'number' ? { tokens: { input: told, output: 0 } } : {}),
  };
}

function parse(body: Buffer): z.infer<typeof Embedded> {
  try {
    return Embedded.parse(JSON.parse(body.toString()));
  } catch {
    throw new MalformedAnswer('no embeddings');
  }
}
