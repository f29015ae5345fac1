import type { Readable } from 'node:stream';
import type { Context } from 'hono';
import { ApiError } from './api-error.ts';
import type { HttpEnvironment } from './environment.ts';

/** How many of the largest bodies may be in memory at the same time. */
const LARGEST_AT_ONCE = 4;
const COME_BACK_SECONDS = 1;

/** A request's body, and what gives its memory back. */
export interface Body {
  readonly bytes: Buffer;
  release(): void;
}

/** Reads the bodies of requests, none too large, and not too much at the same time. */
export class Bodies {
  readonly #largest: number;
  #held = 0;

  /** @param largest bytes of one body */
  constructor(largest: number) {
    this.#largest = largest;
  }

  /**
   * Reads a JSON body.
   *
   * @throws ApiError 415 where it is of another type, 413 where it is too large, 503 where there are too many
   * at the same time, 400 where it ends early
   */
  async read(context: Context<HttpEnvironment>): Promise<Body> {
    const type = context.req.header('content-type') ?? '';
    if (!/^application\/json\s*(;|$)/i.test(type)) throw wrongType();
    if (Number(context.req.header('content-length') ?? 0) > this.#largest) throw this.#tooLarge();
    const chunks: Uint8Array[] = [];
    let size = 0;
    const release = () => {
      this.#held -= size;
      size = 0;
    };
    try {
      for await (const chunk of sourceOf(context)) {
        size += chunk.length;
        this.#held += chunk.length;
        if (size > this.#largest) throw this.#tooLarge();
        if (this.#held > this.#largest * LARGEST_AT_ONCE) throw tooMany();
        chunks.push(chunk);
      }
      return { bytes: Buffer.concat(chunks), release };
    } catch (error) {
      release();
      throw error instanceof ApiError ? error : endedEarly();
    }
  }

  #tooLarge(): ApiError {
    return new ApiError(413, {
      code: 'request_too_large',
      message: `The body is larger than the ${this.#largest} bytes that are allowed (MAX_BODY_MB).`,
    });
  }
}

/** The bytes as they come in; where a test calls the app without a server, those of its request. */
function sourceOf({ env, req }: Context<HttpEnvironment>): AsyncIterable<Uint8Array> {
  // Without that option the connection would end with the loop, before a refusal is sent.
  const incoming = env?.incoming as Readable | undefined;
  return incoming?.iterator({ destroyOnReturn: false }) ?? req.raw.body ?? new ReadableStream();
}

function wrongType(): ApiError {
  return new ApiError(415, {
    code: 'unsupported_media_type',
    message: 'The body has to be JSON: send the header "Content-Type: application/json".',
  });
}

function tooMany(): ApiError {
  return new ApiError(503, {
    code: 'overloaded',
    message: 'The gateway is busy with other large requests. Try again later.',
    retryAfter: COME_BACK_SECONDS,
  });
}

function endedEarly(): ApiError {
  return new ApiError(400, { code: 'bad_request', message: 'The body ended early.' });
}
