import { z } from '@hono/zod-openapi';
import type { Tokens } from '../../usage/meter.ts';
import type { FinishReason } from '../chat-answer.ts';

const count = z.number().nonnegative().nullish();

/** Source: `Usage` and `MessageDeltaUsage` of Anthropic's API reference. */
export const Usage = z.object({
  input_tokens: count,
  output_tokens: count,
  cache_creation_input_tokens: count,
  cache_read_input_tokens: count,
  output_tokens_details: z.object({ thinking_tokens: count }).nullish(),
});
export type Usage = z.infer<typeof Usage>;

/** What has another type than these: Anthropic says that types may be added. */
function otherThan(...types: readonly string[]) {
  return z
    .object({ type: z.string().refine((type) => !types.includes(type)) })
    .transform(() => ({ type: 'other' as const }));
}

/** Blocks of other types, such as thinking, have no like in OpenAI's answer. */
const Block = z.union([
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown().optional() }),
  otherThan('text', 'tool_use'),
]);

export const Message = z.object({
  id: z.string(),
  model: z.string(),
  content: z.array(Block),
  stop_reason: z.string().nullish(),
  usage: Usage,
});
export type Message = z.infer<typeof Message>;

const Delta = z.union([
  z.object({ type: z.literal('text_delta'), text: z.string() }),
  z.object({ type: z.literal('input_json_delta'), partial_json: z.string() }),
  z.object({ type: z.literal('thinking_delta'), thinking: z.string() }),
  otherThan('text_delta', 'input_json_delta', 'thinking_delta'),
]);

const KnownEvent = z.discriminatedUnion('type', [
  z.object({ type: z.literal('content_block_delta'), index: z.number(), delta: Delta }),
  z.object({ type: z.literal('content_block_start'), index: z.number(), content_block: Block }),
  z.object({ type: z.literal('content_block_stop'), index: z.number() }),
  z.object({
    type: z.literal('message_start'),
    message: z.object({ id: z.string(), model: z.string(), usage: Usage }),
  }),
  z.object({
    type: z.literal('message_delta'),
    delta: z.object({ stop_reason: z.string().nullish() }),
    usage: Usage,
  }),
  z.object({ type: z.literal('message_stop') }),
  z.object({ type: z.literal('error'), error: z.object({ type: z.string(), message: z.string() }) }),
]);

/** Source: "Streaming messages" of Anthropic's documentation. */
export const Event = z.union([
  KnownEvent,
  otherThan(...KnownEvent.options.map(({ shape }) => shape.type.value)),
]);
export type Event = z.infer<typeof Event>;

const REASONS: Readonly<Record<string, FinishReason>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
};

export function finishReasonOf(reason: string | null | undefined): FinishReason {
  return REASONS[reason ?? ''] ?? 'stop';
}

/** Anthropic counts what was read from or written to its cache apart from the rest of the input. */
export function tokensOf(usage: Usage): Tokens {
  const cachedInput = usage.cache_read_input_tokens ?? 0;
  return {
    input: (usage.input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0) + cachedInput,
    output: usage.output_tokens ?? 0,
    cachedInput,
  };
}

/** The HTTP status of an error that comes within a stream. Source: "Errors" of Anthropic's documentation. */
export const ERROR_STATUS: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};
