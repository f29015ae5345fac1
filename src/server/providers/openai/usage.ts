import { z } from '@hono/zod-openapi';
import type { Tokens } from '../../usage/meter.ts';

const count = z.number().nonnegative();
const Cached = z.object({ cached_tokens: count.nullish() }).nullish();

/** Usage of chat completions and embeddings; the latter have no output. */
const ChatUsage = z
  .object({
    prompt_tokens: count,
    completion_tokens: count.nullish(),
    prompt_tokens_details: Cached,
  })
  .transform(({ prompt_tokens, completion_tokens, prompt_tokens_details }) =>
    tokens(prompt_tokens, completion_tokens ?? 0, prompt_tokens_details?.cached_tokens),
  );

/** Usage of the Responses API. */
const ResponsesUsage = z
  .object({ input_tokens: count, output_tokens: count, input_tokens_details: Cached })
  .transform(({ input_tokens, output_tokens, input_tokens_details }) =>
    tokens(input_tokens, output_tokens, input_tokens_details?.cached_tokens),
  );

const Usage = z.union([ChatUsage, ResponsesUsage]);

/** Tokens by a `usage` object of OpenAI's; undefined where it is none. */
export function readUsage(usage: unknown): Tokens | undefined {
  const parsed = Usage.safeParse(usage);
  return parsed.success ? parsed.data : undefined;
}

function tokens(input: number, output: number, cachedInput: number | null | undefined): Tokens {
  return { input, output, ...(typeof cachedInput === 'number' ? { cachedInput } : {}) };
}
