import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One request that went through. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  /** Of the request's body. */
  readonly bytes: number;
}

/** What happens to a request: `undefined` lets it through; a function answers in the registry's place. */
export type Fault = (
  seen: Seen,
  response: ServerResponse,
) => undefined | 'reset' | 'swallow-answer' | ((response: ServerResponse) => void);

/** Whether a request may change something in the registry. */
export function isWrite({ method }: Seen): boolean {
  return !['GET', 'HEAD'].includes(method);
}

/** Stands between regctl and a real registry: records every request, and can spoil any of them. */
export class FaultProxy {
  seen: Seen[] = [];
  fault: Fault = () => undefined;
  readonly #upstream: string;
  readonly #underway = new Set<Promise<unknown>>();
  #server: Server | undefined;

  /** @param upstream `host:port` of the registry */
  constructor(upstream: string) {
    this.#upstream = upstream;
  }

  /** Listens on loopback, on a free port where none is named. @returns `host:port` */
  async start(port = 0): Promise<string> {
    const server = createServer((incoming, outgoing) => void this.#pass(incoming, outgoing));
    this.#server = server;
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((done) => this.#server?.close(() => done()) ?? done());
  }

  /**
   * Resolves when the registry has answered all it was sent. A client that was killed does not wait for that,
   * and who looks before may see a file that the registry is just writing.
   */
  async settled(): Promise<void> {
    while (this.#underway.size > 0) await Promise.all(this.#underway);
  }

  /** Requests that change something in the registry. */
  get writes(): Seen[] {
    return this.seen.filter(isWrite);
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of incoming) chunks.push(chunk as Buffer);
    } catch {
      return; // the client was killed while it sent
    }
    const body = Buffer.concat(chunks);
    const seen = { method: incoming.method ?? '', path: incoming.url ?? '', bytes: body.length };
    this.seen.push(seen);
    const fault = this.fault(seen, outgoing);
    if (typeof fault === 'function') return fault(outgoing);
    if (fault === 'reset') return void incoming.socket.destroy();
    const [host, port] = this.#upstream.split(':');
    const onward = request(
      { host, port, method: seen.method, path: seen.path, headers: incoming.headers, agent: false },
      (answer) => {
        if (fault === 'swallow-answer') {
          answer.resume();
          incoming.socket.destroy();
          return;
        }
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    onward.on('error', () => incoming.socket.destroy());
    const closed = new Promise((done) => onward.on('close', done));
    this.#underway.add(closed);
    void closed.then(() => this.#underway.delete(closed));
    onward.end(body);
  }
}

/** Answers with a status and, where given, headers; nothing reaches the registry. */
export function answer(status: number, headers: Record<string, string> = {}) {
  return (response: ServerResponse) => void response.writeHead(status, headers).end();
}
