import { z } from '@hono/zod-openapi';
import type { Tokens } from '../../usage/meter.ts';
import type { FinishReason } from '../chat-answer.ts';
import type { ToolCall } from '../chat-request.ts';

const count = z.number().nonnegative().nullish();

const UsageMetadata = z.object({
  promptTokenCount: count,
  toolUsePromptTokenCount: count,
  candidatesTokenCount: count,
  thoughtsTokenCount: count,
  cachedContentTokenCount: count,
});
export type UsageMetadata = z.infer<typeof UsageMetadata>;

const Part = z.object({
  text: z.string().nullish(),
  /** Whether the text is a thought and no part of the answer. */
  thought: z.boolean().nullish(),
  functionCall: z
    .object({ id: z.string().nullish(), name: z.string(), args: z.unknown().optional() })
    .nullish(),
  thoughtSignature: z.string().nullish(),
});
export type Part = z.infer<typeof Part>;

/**
 * An answer of generateContent, and each event of streamGenerateContent.
 * Source: `GenerateContentResponse` of the Gemini API's reference.
 */
export const GenerateResponse = z.object({
  candidates: z
    .array(
      z.object({
        index: z.number().int().nonnegative().nullish(),
        content: z.object({ parts: z.array(Part).nullish() }).nullish(),
        finishReason: z.string().nullish(),
      }),
    )
    .nullish(),
  promptFeedback: z.object({ blockReason: z.string().nullish() }).nullish(),
  usageMetadata: UsageMetadata.nullish(),
  modelVersion: z.string().nullish(),
  responseId: z.string().nullish(),
});
export type GenerateResponse = z.infer<typeof GenerateResponse>;

/** How a request fails, also within a stream. */
export const ErrorResponse = z.object({ error: z.object({ code: z.number().int(), message: z.string() }) });

const FILTERED = new Set([
  'SAFETY',
  'RECITATION',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
]);

/** @param called whether the answer has calls: Google says STOP then too */
export function finishReasonOf(reason: string | null | undefined, called: boolean): FinishReason {
  if (FILTERED.has(reason ?? '')) return 'content_filter';
  if (reason === 'MAX_TOKENS' || reason === 'CONTINUATION') return 'length';
  return called ? 'tool_calls' : 'stop';
}

/** Google counts thoughts apart from the answer, though both are output and cost the same. */
export function tokensOf(usage: UsageMetadata): Tokens {
  return {
    input: (usage.promptTokenCount ?? 0) + (usage.toolUsePromptTokenCount ?? 0),
    output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
    cachedInput: usage.cachedContentTokenCount ?? 0,
  };
}

/** The text of a part that belongs to the answer. */
export function textOf({ text, thought }: Part): string {
  return thought ? '' : (text ?? '');
}

/**
 * A part's call of a function. Google's calls may have no id: one is made of the answer's, which is enough for
 * a result to find its call.
 *
 * @param place among the calls of the answer
 */
export function callOf(part: Part, place: number, responseId: string): ToolCall | undefined {
  const { functionCall: call, thoughtSignature } = part;
  if (!call) return undefined;
  return {
    id: call.id || `call_${responseId}_${place}`,
    type: 'function',
    function: { name: call.name, arguments: JSON.stringify(call.args ?? {}) },
    ...(thoughtSignature ? { extra_content: { google: { thought_signature: thoughtSignature } } } : {}),
  };
}
