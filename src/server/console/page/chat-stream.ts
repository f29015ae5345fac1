import { EventSourceParserStream } from 'eventsource-parser/stream';
import * as z from 'zod/mini';
import { Problem } from './problem.ts';

export interface Message {
  readonly role: 'user' | 'assistant';
  readonly content: string;
}

/** A piece of an answer: some text, or at its end what it took. */
export type Piece =
  | { readonly text: string }
  | { readonly tokens: { readonly input: number; readonly output: number } }
  | { readonly finish: string };

const Chunk = z.object({
  choices: z.optional(
    z.array(
      z.object({
        delta: z.optional(z.object({ content: z.nullish(z.string()), refusal: z.nullish(z.string()) })),
        finish_reason: z.nullish(z.string()),
      }),
    ),
  ),
  usage: z.nullish(z.object({ prompt_tokens: z.number(), completion_tokens: z.number() })),
  error: z.optional(z.object({ message: z.string() })),
});

/**
 * Reads the stream of a chat completion.
 *
 * @throws Problem where it tells of a failure, is not understood, or ends before its end
 */
export async function* readChat(body: ReadableStream<Uint8Array>): AsyncGenerator<Piece> {
  const decoder = new TextDecoderStream() as TransformStream<Uint8Array, string>;
  const events = body.pipeThrough(decoder).pipeThrough(new EventSourceParserStream()).getReader();
  try {
    for (;;) {
      // It rejects where the connection broke, and where the client itself has stopped.
      const { value } = await events.read().catch(() => ({ value: undefined }));
      if (value === undefined) throw new Problem('The answer broke off.');
      if (value.data === '[DONE]') return;
      yield* piecesOf(value.data);
    }
  } finally {
    await events.cancel().catch(() => undefined);
  }
}

function* piecesOf(data: string): Generator<Piece> {
  const { choices, usage, error } = parse(data);
  if (error !== undefined) throw new Problem(error.message);
  for (const { delta, finish_reason: finish } of choices ?? []) {
    const text = delta?.content || delta?.refusal;
    if (text) yield { text };
    if (finish) yield { finish };
  }
  if (usage) yield { tokens: { input: usage.prompt_tokens, output: usage.completion_tokens } };
}

function parse(data: string): z.infer<typeof Chunk> {
  try {
    return Chunk.parse(JSON.parse(data));
  } catch {
    throw new Problem('A part of the answer was not understood.');
  }
}
