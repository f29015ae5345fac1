import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';

/** A request as a provider got it. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
  readonly text: string;
  /** Resolves when the connection for it has ended: true where that was before the answer was whole. */
  readonly left: Promise<boolean>;
}

/** How a provider answers a request. */
export type Reaction = (asked: Asked, reply: ServerResponse) => void | Promise<void>;

/** An HTTP server that stands for a provider's, and remembers what it was asked. */
export class FakeServer {
  readonly asked: Asked[] = [];
  readonly #server: Server;
  readonly #usual: Reaction;
  readonly #next: Reaction[] = [];
  readonly #waiting: (() => void)[] = [];

  private constructor(usual: Reaction) {
    this.#usual = usual;
    this.#server = createServer((request, reply) => void this.#answer(request, reply));
  }

  /** @param host the address it listens on: loopback, unless containers are to reach it */
  static async start(usual: Reaction, host = '127.0.0.1'): Promise<FakeServer> {
    const fake = new FakeServer(usual);
    fake.#server.listen(0, host);
    await once(fake.#server, 'listening');
    return fake;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get port(): number {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no TCP address');
    return address.port;
  }

  /** The request that came last. */
  get last(): Asked {
    const last = this.asked.at(-1);
    if (last === undefined) throw new Error('nothing was asked');
    return last;
  }

  /** The next requests are answered by these, in their order. */
  next(...reactions: readonly Reaction[]): void {
    this.#next.push(...reactions);
  }

  /** Resolves when the next request has come. */
  arrival(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** Forgets what was asked, and what was to be answered next. */
  reset(): void {
    this.asked.length = 0;
    this.#next.length = 0;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, reply: ServerResponse): Promise<void> {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    const left = once(reply, 'close').then(() => !reply.writableFinished);
    const asked: Asked = {
      method: request.method ?? '',
      path: request.url ?? '',
      headers: request.headers,
      body: parsed(text),
      text,
      left,
    };
    this.asked.push(asked);
    for (const resolve of this.#waiting.splice(0)) resolve();
    await (this.#next.shift() ?? this.#usual)(asked, reply);
  }
}

function parsed(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

/** An answer of JSON. */
export function json(body: unknown, status = 200, headers: Record<string, string> = {}): Reaction {
  return (_asked, reply) => {
    reply.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
  };
}

/** A text as it is. */
export function raw(body: string, status = 200, type = 'application/json'): Reaction {
  return (_asked, reply) => void reply.writeHead(status, { 'content-type': type }).end(body);
}

/** A stream of events, whole. */
export function events(texts: readonly string[]): Reaction {
  return (_asked, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const text of texts) reply.write(text);
    reply.end();
  };
}

/** The first of some events, then nothing until the other side leaves. */
export function eventsThenSilence(texts: readonly string[]): Reaction {
  return (_asked, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.flushHeaders();
    for (const text of texts) reply.write(text);
  };
}

/** The first of some events, then the connection breaks. */
export function eventsThenBreak(texts: readonly string[]): Reaction {
  return (_asked, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.write(texts.join(''), () => reply.socket?.destroy());
  };
}

/** The connection breaks before an answer. */
export const breakOff: Reaction = (_asked, reply) => void reply.socket?.destroy();

/** No answer, for as long as the other side waits. */
export const silence: Reaction = () => undefined;

/** One event of a stream. */
export function event(data: unknown, name?: string): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data);
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${text}\n\n`;
}
