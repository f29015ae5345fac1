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

/** The events after which nothing more comes. */
const LAST = new Set(['response.completed', 'response.incomplete', 'response.failed']);

/** What is counted of an event. The rest passes unread. */
const Event = z.object({
  type: z.string(),
  delta: z.unknown().optional(),
  message: z.string().nullish(),
  response: z.object({ usage: z.unknown().optional() }).nullish(),
});

/** Passes OpenAI's stream of a response on as it came, and counts. */
export class ResponsesStream implements StreamReader {
  complete = false;
  #tokens: Tokens | undefined;
  #characters = 0;

  take({ event: name, data }: StreamEvent): string {
    const event = readEvent(data);
    if (event.type === 'error') throw new StreamFault(502, event.message ?? 'an error within the stream');
    if (typeof event.delta === 'string') this.#characters += event.delta.length;
    if (LAST.has(event.type)) {
      this.complete = true;
      this.#tokens = readUsage(event.response?.usage);
    }
    return `${name === undefined ? '' : `event: ${name}\n`}${sseData(data)}`;
  }

  end(): string {
    return '';
  }

  usage(): StreamUsage {
    return { ...this.#tokens, final: this.#tokens !== undefined, outputCharacters: this.#characters };
  }
}

function readEvent(data: string): z.infer<typeof Event> {
  try {
    return Event.parse(JSON.parse(data));
  } catch {
    throw new MalformedAnswer('an event of the stream is none of a response');
  }
}
