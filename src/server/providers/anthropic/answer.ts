import { type Message as ChatMessage, completionOf, usageOf } from '../chat-answer.ts';
import { type Answer, MalformedAnswer } from '../provider.ts';
import { finishReasonOf, Message, tokensOf } from './wire.ts';

/**
 * Turns an answer of Anthropic's Messages API into a chat completion.
 *
 * @param created seconds since 1970
 * @throws MalformedAnswer
 */
export function readMessage(body: Buffer, created: number): Answer {
  const message = parse(body);
  const tokens = tokensOf(message.usage);
  const reasoning = message.usage.output_tokens_details?.thinking_tokens ?? 0;
  const choice = {
    index: 0,
    message: said(message),
    logprobs: null,
    finish_reason: finishReasonOf(message.stop_reason),
  };
  const completion = completionOf({ ...message, created }, [choice], usageOf(tokens, reasoning));
  return { body: JSON.stringify(completion), tokens };
}

function parse(body: Buffer): Message {
  try {
    return Message.parse(JSON.parse(body.toString()));
  } catch {
    throw new MalformedAnswer('no message');
  }
}

function said({ content }: Message): ChatMessage {
  const text = content.map((block) => (block.type === 'text' ? block.text : '')).join('');
  const calls = content.flatMap((block) =>
    block.type === 'tool_use'
      ? [
          {
            id: block.id,
            type: 'function' as const,
            function: { name: block.name, arguments: JSON.stringify(block.input ?? {}) },
          },
        ]
      : [],
  );
  return {
    role: 'assistant',
    content: text === '' && calls.length > 0 ? null : text,
    refusal: null,
    ...(calls.length > 0 ? { tool_calls: calls } : {}),
  };
}
