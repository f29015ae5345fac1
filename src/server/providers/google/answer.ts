import { type Choice, completionOf, usageOf } from '../chat-answer.ts';
import { type Answer, MalformedAnswer } from '../provider.ts';
import { callOf, finishReasonOf, GenerateResponse, textOf, tokensOf } from './wire.ts';

/**
 * Turns an answer of Google's generateContent into a chat completion.
 *
 * @param model as it was asked for; @param created seconds since 1970
 * @throws MalformedAnswer
 */
export function readGenerated(body: Buffer, model: string, created: number): Answer {
  const response = parse(body);
  const usage = response.usageMetadata ?? {};
  const id = response.responseId ?? `gen_${created}`;
  const choices = response.candidates?.map((candidate, index) => choiceOf(candidate, index, id)) ?? [];
  // A prompt that is refused has no candidates.
  if (choices.length === 0) choices.push(choiceOf({ finishReason: 'SAFETY' }, 0, id));
  const heading = { id, created, model: response.modelVersion ?? model };
  const completion = completionOf(heading, choices, usageOf(tokensOf(usage), usage.thoughtsTokenCount ?? 0));
  return {
    body: JSON.stringify(completion),
    ...(response.usageMetadata ? { tokens: tokensOf(usage) } : {}),
  };
}

function parse(body: Buffer): GenerateResponse {
  try {
    const response = GenerateResponse.parse(JSON.parse(body.toString()));
    if (response.candidates?.length || response.promptFeedback?.blockReason) return response;
  } catch {
    // said below
  }
  throw new MalformedAnswer('no generated content');
}

type Candidate = NonNullable<GenerateResponse['candidates']>[number];

function choiceOf({ content, finishReason, index }: Candidate, place: number, id: string): Choice {
  const parts = content?.parts ?? [];
  const text = parts.map(textOf).join('');
  const calls = parts
    .filter(({ functionCall }) => functionCall)
    .map((part, at) => callOf(part, at, id))
    .filter((call) => call !== undefined);
  return {
    index: index ?? place,
    message: {
      role: 'assistant',
      content: text === '' && (calls.length > 0 || finishReason === 'SAFETY') ? null : text,
      refusal: null,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    },
    logprobs: null,
    finish_reason: finishReasonOf(finishReason, calls.length > 0),
  };
}
