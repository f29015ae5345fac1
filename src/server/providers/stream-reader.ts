import type { EventSourceMessage } from 'eventsource-parser';

/** An event of a provider's stream. */
export type StreamEvent = Pick<EventSourceMessage, 'event' | 'data'>;

/** What a stream has cost so far. */
export interface StreamUsage {
  /** As told by the provider; absent until it tells. */
  readonly input?: number;
  readonly cachedInput?: number;
  readonly output?: number;
  /** Whether those are the provider's last word. */
  readonly final: boolean;
  /** Characters of output that came, for an estimate where the provider's last word did not. */
  readonly outputCharacters: number;
}

/** Reads one stream of a provider's, event by event, into OpenAI's. */
export interface StreamReader {
  /**
   * @returns what the client gets for the event, as text of a stream of server-sent events; may be empty
   * @throws StreamFault where the provider reports an error, MalformedAnswer
   */
  take(event: StreamEvent): string;
  /** Whether the provider has sent all of the answer: a stream that ends earlier was cut. */
  readonly complete: boolean;
  /** What the client gets when the provider's stream has ended whole. */
  end(): string;
  usage(): StreamUsage;
}

/** An error that a provider reports within a stream. */
export class StreamFault extends Error {
  override readonly name = 'StreamFault';
  /** The HTTP status that says the same. */
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One event of OpenAI's stream. */
export function sseData(value: unknown): string {
  return `data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`;
}
