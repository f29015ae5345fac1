import { ChunkWriter, type Heading, usageOf } from '../chat-answer.ts';
import { MalformedAnswer } from '../provider.ts';
import {
  type StreamEvent,
  StreamFault,
  type StreamReader,
  type StreamUsage,
  sseData,
} from '../stream-reader.ts';
import { ERROR_STATUS, Event, finishReasonOf, tokensOf, type Usage } from './wire.ts';

/** A call whose arguments are under way. */
interface OpenCall {
  /** Its place among the calls. */
  readonly index: number;
  argued: boolean;
}

/** Turns a stream of Anthropic's Messages API into one of a chat completion. */
export class MessageStream implements StreamReader {
  complete = false;
  readonly #created: number;
  readonly #withUsage: boolean;
  #chunks: ChunkWriter | undefined;
  #usage: Usage = {};
  #usageIsFinal = false;
  #characters = 0;
  #calls = 0;
  /** By the index of their block. */
  readonly #openCalls = new Map<number, OpenCall>();

  /** @param created seconds since 1970; @param withUsage whether the client asked for usage */
  constructor(created: number, withUsage: boolean) {
    this.#created = created;
    this.#withUsage = withUsage;
  }

  take({ data }: StreamEvent): string {
    const event = readEvent(data);
    switch (event.type) {
      case 'message_start':
        this.#usage = event.message.usage;
        return this.#begin({ ...event.message, created: this.#created });
      case 'content_block_start':
        return this.#openBlock(event.index, event.content_block);
      case 'content_block_delta':
        return this.#delta(event.index, event.delta);
      case 'content_block_stop':
        return this.#closeBlock(event.index);
      case 'message_delta':
        // Its counts are totals, and those that are absent have not changed.
        this.#usage = { ...this.#usage, ...told(event.usage) };
        this.#usageIsFinal = true;
        return this.#writer().piece({}, finishReasonOf(event.delta.stop_reason));
      case 'message_stop':
        this.complete = true;
        return '';
      case 'error':
        throw new StreamFault(ERROR_STATUS[event.error.type] ?? 500, event.error.message);
      case 'other':
        return '';
    }
  }

  end(): string {
    const reasoning = this.#usage.output_tokens_details?.thinking_tokens ?? 0;
    const usage = this.#withUsage ? this.#writer().usage(usageOf(tokensOf(this.#usage), reasoning)) : '';
    return usage + sseData('[DONE]');
  }

  usage(): StreamUsage {
    return {
      ...(this.#chunks === undefined ? {} : tokensOf(this.#usage)),
      final: this.#usageIsFinal,
      outputCharacters: this.#characters,
    };
  }

  #begin(heading: Heading): string {
    this.#chunks = new ChunkWriter(heading, this.#withUsage);
    return this.#chunks.piece({ role: 'assistant', content: '' });
  }

  #openBlock(
    block: number,
    content: Extract<Event, { type: 'content_block_start' }>['content_block'],
  ): string {
    if (content.type === 'text' && content.text !== '') return this.#text(content.text);
    if (content.type !== 'tool_use') return '';
    const index = this.#calls++;
    this.#openCalls.set(block, { index, argued: false });
    const { id, name } = content;
    return this.#writer().piece({
      tool_calls: [{ index, id, type: 'function', function: { name, arguments: '' } }],
    });
  }

  #delta(block: number, delta: Extract<Event, { type: 'content_block_delta' }>['delta']): string {
    if (delta.type === 'text_delta') return this.#text(delta.text);
    if (delta.type === 'thinking_delta') this.#characters += delta.thinking.length;
    if (delta.type !== 'input_json_delta' || delta.partial_json === '') return '';
    const call = this.#openCalls.get(block);
    if (call === undefined) return '';
    call.argued = true;
    return this.#arguments(call.index, delta.partial_json);
  }

  /** A call without arguments has none to send, where OpenAI sends an empty object. */
  #closeBlock(block: number): string {
    const call = this.#openCalls.get(block);
    this.#openCalls.delete(block);
    return call === undefined || call.argued ? '' : this.#arguments(call.index, '{}');
  }

  #text(content: string): string {
    this.#characters += content.length;
    return this.#writer().piece({ content });
  }

  #arguments(index: number, text: string): string {
    this.#characters += text.length;
    return this.#writer().piece({ tool_calls: [{ index, function: { arguments: text } }] });
  }

  #writer(): ChunkWriter {
    if (this.#chunks === undefined)
      throw new MalformedAnswer('a stream that does not begin with message_start');
    return this.#chunks;
  }
}

function readEvent(data: string): Event {
  try {
    return Event.parse(JSON.parse(data));
  } catch {
    throw new MalformedAnswer('an event of the stream is none of a message');
  }
}

/** Without what is null. */
function told(usage: Usage): Usage {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== null));
}
