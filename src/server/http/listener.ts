import { createServer, type Server, type ServerResponse } from 'node:http';
import { setTimeout as after } from 'node:timers/promises';
import { getRequestListener, RequestError } from '@hono/node-server';
import { EXIT } from '../exit.ts';
import { Failure } from '../failure.ts';
import { ApiError } from './api-error.ts';
import { answerBadMessage } from './bad-message.ts';
import { errorBody } from './error-reply.ts';

// Longer than the 60 s that proxies such as nginx keep an idle connection to a backend: the side that sends
// must be the one that closes, or a request can meet a closing connection and end as 502.
const KEEP_ALIVE_MS = 65_000;
const HEADERS_WITHIN_MS = 20_000;

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is in use by another process',
  EACCES: 'may not be opened by this user',
  EADDRNOTAVAIL: 'can not be opened: this machine has no such address',
};

type FetchCallback = Parameters<typeof getRequestListener>[0];

/** The HTTP server: opens the port, and closes it without dropping a request. */
export class Listener {
  readonly #server: Server;
  readonly #inFlight = new Set<ServerResponse>();
  #draining = false;

  /** @param fetch answers a request, as `app.fetch` does */
  constructor(fetch: FetchCallback) {
    const answer = getRequestListener(fetch, { hostname: 'localhost', errorHandler: badRequest });
    this.#server = createServer((incoming, outgoing) => {
      this.#inFlight.add(outgoing);
      outgoing.once('close', () => this.#inFlight.delete(outgoing));
      if (this.#draining) outgoing.setHeader('Connection', 'close');
      void answer(incoming, outgoing);
    });
    this.#server.on('clientError', answerBadMessage);
    this.#server.keepAliveTimeout = KEEP_ALIVE_MS;
    this.#server.headersTimeout = HEADERS_WITHIN_MS;
  }

  /**
   * Opens the port. Resolves when connections are accepted.
   *
   * @throws Failure with exit code 1 where the port can't be had
   */
  listen(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => reject(portFailure(error, port, host)));
      this.#server.listen(port, host, () => {
        this.#server.removeAllListeners('error');
        resolve();
      });
    });
  }

  /**
   * Stops accepting connections, waits for the requests in flight and closes everything.
   *
   * @param limitMs how long to wait for them
   * @returns how many requests were cut off at the limit
   */
  async drain(limitMs: number): Promise<number> {
    this.#draining = true;
    this.#server.close();
    for (const outgoing of this.#inFlight) {
      if (!outgoing.headersSent) outgoing.setHeader('Connection', 'close');
    }
    const waiting = new AbortController();
    const late = after(limitMs, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([this.#quiet(), late]);
    waiting.abort();
    const cut = this.#inFlight.size;
    // Also ends connections on which nothing was ever asked: Node does not count those as idle.
    this.#server.closeAllConnections();
    return cut;
  }

  /** Resolves when no request is in flight. A new one may still come on a connection that is open. */
  async #quiet(): Promise<void> {
    while (this.#inFlight.size > 0) {
      await Promise.all(
        [...this.#inFlight].map((outgoing) => new Promise((closed) => outgoing.once('close', closed))),
      );
    }
  }
}

/** Answers a request that is no valid HTTP message for a server, such as one with a malformed Host. */
function badRequest(error: unknown): Response {
  const answer =
    error instanceof RequestError
      ? new ApiError(400, {
          code: 'bad_request',
          message: 'The request line or the Host header is malformed.',
        })
      : new ApiError(500, { code: 'internal_error', message: 'The server had an error.' });
  return Response.json(errorBody(answer), { status: answer.status });
}

function portFailure(error: NodeJS.ErrnoException, port: number, host: string): Failure {
  const reason = REASONS[error.code ?? ''] ?? `can not be opened (${error.code ?? 'unknown error'})`;
  return new Failure(EXIT.failed, 'The service can not start.', [
    {
      subject: 'PORT, HOST',
      problem: `port ${port} on ${host} ${reason}`,
      fix: 'Stop what holds it, or set another PORT or HOST.',
    },
  ]);
}
