import { createParser } from 'eventsource-parser';
import { errorBody } from '../http/error-reply.ts';
import { estimatedTokens } from '../providers/estimate.ts';
import type { Target } from '../providers/model-name.ts';
import { MalformedAnswer } from '../providers/provider.ts';
import { type StreamEvent, StreamFault, type StreamReader, sseData } from '../providers/stream-reader.ts';
import { CLIENT_LEFT, type Course, type Used } from './course.ts';
import { type Incoming, transportFailure } from './upstream.ts';
import { UpstreamFailure } from './upstream-failure.ts';

/** The status of what nobody thought of. */
const BUG = 500;

/** An event of a provider's may hold a whole image; more in one is no event. */
const LARGEST_EVENT = 32 * 1024 * 1024;

/** A streamed answer on its way from the provider to the client. */
export class Relay {
  readonly #incoming: Incoming;
  readonly #reader: StreamReader;
  readonly #target: Target;
  readonly #signal: AbortSignal;
  readonly #texts: AsyncGenerator<string, void>;
  #first: string | undefined;

  constructor(incoming: Incoming, reader: StreamReader, target: Target, signal: AbortSignal) {
    this.#incoming = incoming;
    this.#reader = reader;
    this.#target = target;
    this.#signal = signal;
    this.#texts = this.#translate();
  }

  /**
   * Waits for what the client gets first. Until then it was told nothing, so that another provider can be asked.
   *
   * @throws UpstreamFailure; the signal's reason
   */
  async begin(): Promise<void> {
    const { value } = await this.#texts.next();
    this.#first = value ?? '';
  }

  /**
   * The rest of the way: the client takes what it can, and no more is asked of the provider. A stream that
   * breaks off ends with an error that OpenAI's clients understand.
   *
   * @param estimate tokens of the input, for where the provider does not tell
   */
  run(course: Course, estimate: number): ReadableStream<Uint8Array> {
    const settle = (status: number) => course.settle(status, this.#used(estimate));
    const left = () => settle(CLIENT_LEFT);
    // The client may be gone before anybody reads the stream; then nobody would cancel it either.
    if (this.#signal.aborted) left();
    this.#signal.addEventListener('abort', left);
    const end = () => this.#signal.removeEventListener('abort', left);
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          try {
            const text = await this.#next();
            if (text !== undefined) return controller.enqueue(Buffer.from(text));
            settle(200);
            end();
          } catch (error) {
            end();
            if (!(error instanceof UpstreamFailure)) {
              settle(BUG);
              return controller.error(error);
            }
            const answer = error.toApiError();
            settle(answer.status);
            controller.enqueue(Buffer.from(sseData(errorBody(answer))));
          }
          controller.close();
        },
        cancel: async () => {
          left();
          end();
          await this.#texts.return();
        },
      },
      { highWaterMark: 0 },
    );
  }

  async #next(): Promise<string | undefined> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined) return first;
    const { value } = await this.#texts.next();
    return value ?? undefined;
  }

  async *#translate(): AsyncGenerator<string, void> {
    const decoder = new TextDecoder();
    const events: StreamEvent[] = [];
    let isTooLarge = false;
    const parser = createParser({
      onEvent: (event) => events.push(event),
      onError: ({ type }) => {
        isTooLarge ||= type === 'max-buffer-size-exceeded';
      },
      maxBufferSize: LARGEST_EVENT,
    });
    try {
      for await (const chunk of this.#incoming as AsyncIterable<Uint8Array>) {
        parser.feed(decoder.decode(chunk, { stream: true }));
        if (isTooLarge) throw new MalformedAnswer('an event that is too large');
        yield* this.#take(events.splice(0));
      }
    } catch (error) {
      this.#signal.throwIfAborted();
      if (!this.#reader.complete) throw this.#failure(error);
    }
    if (!this.#reader.complete) throw this.#failure(new Error('it ended early'));
    yield this.#end();
  }

  #end(): string {
    try {
      return this.#reader.end();
    } catch (error) {
      throw this.#failure(error);
    }
  }

  /** What came before a fault still goes to the client. */
  *#take(events: readonly StreamEvent[]): Generator<string> {
    let text = '';
    try {
      for (const event of events) text += this.#reader.take(event);
    } catch (error) {
      if (text !== '') yield text;
      throw error;
    }
    if (text !== '') yield text;
  }

  #failure(error: unknown): UpstreamFailure {
    const target = this.#target;
    if (error instanceof UpstreamFailure) return error;
    if (error instanceof StreamFault) {
      return new UpstreamFailure(target, { kind: 'status', status: error.status, message: error.message });
    }
    if (error instanceof MalformedAnswer) {
      return new UpstreamFailure(target, { kind: 'malformed', message: error.message });
    }
    return transportFailure(error, target, 'cut');
  }

  /** What the stream has cost so far: as the provider says, else by what came. */
  #used(estimate: number): Used {
    const { input, cachedInput, output, final, outputCharacters } = this.#reader.usage();
    const seen = estimatedTokens(outputCharacters);
    return {
      tokens: {
        input: input ?? estimate,
        output: final ? (output ?? seen) : Math.max(output ?? 0, seen),
        ...(cachedInput === undefined ? {} : { cachedInput }),
      },
      measured: final ? 'provider' : 'estimate',
    };
  }
}
