import { z } from '@hono/zod-openapi';

const MOST_INPUTS = 2048;
const Texts = z.array(z.string().min(1)).min(1).max(MOST_INPUTS);
const TokenIds = z.array(z.number().int().nonnegative()).min(1).max(MOST_INPUTS);

/** Source: `CreateEmbeddingRequest` of OpenAI's API reference. */
export const EmbeddingsRequest = z
  .object({
    model: z.string().min(1).meta({ example: 'openai/text-embedding-3-small' }),
    input: z.union([z.string().min(1), Texts, TokenIds, z.array(TokenIds).min(1).max(MOST_INPUTS)]),
    dimensions: z.number().int().min(1).nullish(),
    encoding_format: z.enum(['float', 'base64']).nullish(),
    user: z.string().nullish(),
  })
  .openapi('EmbeddingsRequest');
export type EmbeddingsRequest = z.infer<typeof EmbeddingsRequest>;

const count = z.number().int().nonnegative();

/** Source: `CreateEmbeddingResponse` of OpenAI's API reference. */
export const EmbeddingsAnswer = z
  .object({
    object: z.literal('list'),
    data: z.array(
      z.object({
        object: z.literal('embedding'),
        index: count,
        embedding: z
          .union([z.array(z.number()), z.string()])
          .meta({ description: 'Numbers, or with encoding_format base64 the text of 32-bit floats.' }),
      }),
    ),
    model: z.string(),
    usage: z.object({ prompt_tokens: count, total_tokens: count }),
  })
  .openapi('Embeddings');
export type EmbeddingsAnswer = z.infer<typeof EmbeddingsAnswer>;

/** A vector in OpenAI's base64: 32-bit floats, the lowest byte first. */
export function base64Of(values: readonly number[]): string {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}
