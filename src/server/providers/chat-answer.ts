import { z } from '@hono/zod-openapi';
import type { Tokens } from '../usage/meter.ts';
import { ToolCall } from './chat-request.ts';
import { sseData } from './stream-reader.ts';

const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter'] as const;
export type FinishReason = (typeof FINISH_REASONS)[number];

const count = z.number().int().nonnegative();

const Usage = z.object({
  prompt_tokens: count,
  completion_tokens: count,
  total_tokens: count,
  prompt_tokens_details: z.object({ cached_tokens: count }).optional(),
  completion_tokens_details: z.object({ reasoning_tokens: count }).optional(),
});
export type Usage = z.infer<typeof Usage>;

const Message = z.object({
  role: z.literal('assistant'),
  content: z.string().nullable(),
  refusal: z.string().nullish(),
  tool_calls: z.array(ToolCall).optional(),
});
export type Message = z.infer<typeof Message>;

const Choice = z.object({
  index: count,
  message: Message,
  logprobs: z.unknown().optional(),
  finish_reason: z.enum(FINISH_REASONS),
});
export type Choice = z.infer<typeof Choice>;

/**
 * OpenAI's answer as the translators write it; OpenAI's own may have more.
 * Source: `CreateChatCompletionResponse` of OpenAI's API reference.
 */
export const ChatCompletion = z
  .object({
    id: z.string(),
    object: z.literal('chat.completion'),
    created: count.meta({ description: 'Seconds since 1970.' }),
    model: z.string(),
    choices: z.array(Choice),
    usage: Usage,
  })
  .openapi('ChatCompletion');
export type ChatCompletion = z.infer<typeof ChatCompletion>;

/** What an answer is called. */
export interface Heading {
  readonly id: string;
  /** Seconds since 1970. */
  readonly created: number;
  readonly model: string;
}

export interface Delta {
  readonly role?: 'assistant';
  readonly content?: string;
  readonly tool_calls?: readonly ToolCallDelta[];
}

/** A call as a stream begins it, with id and name, or a further piece of its arguments. */
interface ToolCallDelta {
  readonly index: number;
  readonly id?: string;
  readonly type?: 'function';
  readonly function: { readonly name?: string; readonly arguments: string };
  readonly extra_content?: ToolCall['extra_content'];
}

/** Usage in OpenAI's shape. @param reasoning those of the output that the client does not see */
export function usageOf({ input, output, cachedInput = 0 }: Tokens, reasoning = 0): Usage {
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cachedInput },
    completion_tokens_details: { reasoning_tokens: reasoning },
  };
}

export function completionOf(heading: Heading, choices: Choice[], usage: Usage): ChatCompletion {
  return {
    id: heading.id,
    object: 'chat.completion',
    created: heading.created,
    model: heading.model,
    choices,
    usage,
  };
}

/** Writes the chunks of one streamed answer. */
export class ChunkWriter {
  readonly #head: string;
  readonly #usage: string;

  /** @param withUsage whether the client asked for usage, so that each chunk has a place for it */
  constructor({ id, created, model }: Heading, withUsage: boolean) {
    const head = JSON.stringify({ id, object: 'chat.completion.chunk', created, model });
    this.#head = `${head.slice(0, -1)},"choices":[`;
    this.#usage = withUsage ? ',"usage":null' : '';
  }

  /** A piece of the answer, as text of the stream. */
  piece(delta: Delta, finish: FinishReason | null = null, index = 0): string {
    const choice = JSON.stringify({ index, delta, logprobs: null, finish_reason: finish });
    return sseData(`${this.#head}${choice}]${this.#usage}}`);
  }

  /** The last chunk, where the client asked for usage. */
  usage(usage: Usage): string {
    return sseData(`${this.#head}],"usage":${JSON.stringify(usage)}}`);
  }
}
