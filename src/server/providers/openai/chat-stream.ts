import { z } from '@hono/zod-openapi';
import type { Tokens } from '../../usage/meter.ts';
import { MalformedAnswer } from '../provider.ts';
import {
  type StreamEvent,
  StreamFault,
  type StreamReader,
  type StreamUsage,
  sseData,
} from '../stream-reader.ts';
import { readUsage } from './usage.ts';

const DONE = '[DONE]';

const text = z.string().nullish().catch(null);

/** What is counted of a chunk. The rest passes unread, and so does what has another shape. */
const Chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z
          .object({
            content: text,
            refusal: text,
            tool_calls: z.array(z.object({ function: z.object({ arguments: text }).nullish() })).nullish(),
          })
          .nullish(),
      }),
    )
    .nullish()
    .catch(null),
  usage: z.unknown().optional(),
  error: z.object({ message: z.string() }).nullish(),
});
type Chunk = z.infer<typeof Chunk>;

/** Passes OpenAI's stream of a chat completion on as it came, and counts. */
export class ChatStream implements StreamReader {
  complete = false;
  readonly #hideUsage: boolean;
  #tokens: Tokens | undefined;
  #characters = 0;

  /** @param hideUsage whether the client did not ask for usage, so that the chunk with it is left out */
  constructor({ hideUsage }: { readonly hideUsage: boolean }) {
    this.#hideUsage = hideUsage;
  }

  take({ data }: StreamEvent): string {
    if (data === DONE) {
      this.complete = true;
      return '';
    }
    const chunk = readChunk(data);
    // OpenAI reports a failure within a stream as a chunk with an error and no status.
    if (chunk.error) throw new StreamFault(502, chunk.error.message);
    this.#characters += charactersOf(chunk);
    if (chunk.usage) {
      this.#tokens = readUsage(chunk.usage) ?? this.#tokens;
      if (this.#hideUsage && (chunk.choices ?? []).length === 0) return '';
    }
    return sseData(data);
  }

  end(): string {
    return sseData(DONE);
  }

  usage(): StreamUsage {
    return { ...this.#tokens, final: this.#tokens !== undefined, outputCharacters: this.#characters };
  }
}

function readChunk(data: string): Chunk {
  try {
    return Chunk.parse(JSON.parse(data));
  } catch {
    throw new MalformedAnswer('an event of the stream is no chunk of a chat completion');
  }
}

function charactersOf({ choices }: Chunk): number {
  let sum = 0;
  for (const { delta } of choices ?? []) {
    sum += (delta?.content ?? '').length + (delta?.refusal ?? '').length;
    for (const call of delta?.tool_calls ?? []) sum += (call.function?.arguments ?? '').length;
  }
  return sum;
}
