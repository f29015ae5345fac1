import { ChunkWriter, usageOf } from '../chat-answer.ts';
import { MalformedAnswer } from '../provider.ts';
import {
  type StreamEvent,
  StreamFault,
  type StreamReader,
  type StreamUsage,
  sseData,
} from '../stream-reader.ts';
import {
  callOf,
  ErrorResponse,
  finishReasonOf,
  GenerateResponse,
  textOf,
  tokensOf,
  type UsageMetadata,
} from './wire.ts';

/** What has come of one candidate. */
interface Progress {
  calls: number;
  finished: boolean;
}

/** Turns a stream of Google's streamGenerateContent into one of a chat completion. */
export class GenerateStream implements StreamReader {
  readonly #model: string;
  readonly #created: number;
  readonly #withUsage: boolean;
  #chunks: ChunkWriter | undefined;
  #id = '';
  #usage: UsageMetadata | undefined;
  #characters = 0;
  readonly #candidates = new Map<number, Progress>();

  /** @param created seconds since 1970; @param withUsage whether the client asked for usage */
  constructor(model: string, created: number, withUsage: boolean) {
    this.#model = model;
    this.#created = created;
    this.#withUsage = withUsage;
  }

  /** Google marks no end: its stream is whole when each candidate has said why it ended. */
  get complete(): boolean {
    return this.#candidates.size > 0 && [...this.#candidates.values()].every(({ finished }) => finished);
  }

  take({ data }: StreamEvent): string {
    const response = readEvent(data);
    // Each event has the totals so far.
    this.#usage = response.usageMetadata ?? this.#usage;
    const chunks = this.#writer(response);
    const candidates = response.candidates ?? [];
    if (candidates.length === 0 && response.promptFeedback?.blockReason) {
      return this.#candidate(chunks, { finishReason: 'SAFETY' });
    }
    return candidates.map((candidate) => this.#candidate(chunks, candidate)).join('');
  }

  end(): string {
    const thoughts = this.#usage?.thoughtsTokenCount ?? 0;
    const usage = usageOf(tokensOf(this.#usage ?? {}), thoughts);
    return (this.#withUsage ? (this.#chunks?.usage(usage) ?? '') : '') + sseData('[DONE]');
  }

  usage(): StreamUsage {
    return {
      ...(this.#usage === undefined ? {} : tokensOf(this.#usage)),
      final: this.complete && this.#usage !== undefined,
      outputCharacters: this.#characters,
    };
  }

  #candidate(
    chunks: ChunkWriter,
    { index: given, content, finishReason }: NonNullable<GenerateResponse['candidates']>[number],
  ): string {
    const index = given ?? 0;
    let text = '';
    let progress = this.#candidates.get(index);
    if (progress === undefined) {
      progress = { calls: 0, finished: false };
      this.#candidates.set(index, progress);
      text += chunks.piece({ role: 'assistant', content: '' }, null, index);
    }
    for (const part of content?.parts ?? []) {
      this.#characters += (part.text ?? '').length;
      const said = textOf(part);
      if (said !== '') text += chunks.piece({ content: said }, null, index);
      const call = callOf(part, progress.calls, this.#id);
      if (call === undefined) continue;
      this.#characters += call.function.arguments.length;
      text += chunks.piece({ tool_calls: [{ index: progress.calls++, ...call }] }, null, index);
    }
    if (finishReason && !progress.finished) {
      progress.finished = true;
      text += chunks.piece({}, finishReasonOf(finishReason, progress.calls > 0), index);
    }
    return text;
  }

  #writer({ responseId, modelVersion }: GenerateResponse): ChunkWriter {
    if (this.#chunks === undefined) {
      this.#id = responseId ?? `gen_${this.#created}`;
      const heading = { id: this.#id, created: this.#created, model: modelVersion ?? this.#model };
      this.#chunks = new ChunkWriter(heading, this.#withUsage);
    }
    return this.#chunks;
  }
}

/** @throws StreamFault, MalformedAnswer */
function readEvent(data: string): GenerateResponse {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new MalformedAnswer('an event of the stream is no JSON');
  }
  const fault = ErrorResponse.safeParse(value);
  if (fault.success) throw new StreamFault(fault.data.error.code, fault.data.error.message);
  const event = GenerateResponse.safeParse(value);
  if (!event.success) throw new MalformedAnswer('an event of the stream is no generated content');
  return event.data;
}
