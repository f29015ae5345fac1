import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it came in. */
export interface WebCall {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** What happens to one request in place of its answer; `'lost'` does the work and then cuts the line. */
export type WebFault = 'cut' | 'lost' | { status: number; headers?: Record<string, string>; body?: unknown };

/** A web service on loopback that answers as its documentation says, and fails as a test says. */
export abstract class FakeWeb {
  /** `METHOD /path` of every request. */
  readonly calls: string[] = [];
  /** Says what goes wrong with a request; `undefined` where nothing does. */
  fault: (call: WebCall) => WebFault | undefined = () => undefined;
  readonly #server: Server = createServer((incoming, outgoing) => void this.#take(incoming, outgoing));

  /** @returns its address */
  async start(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return this.address;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  get address(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Requests that may change something. */
  get writes(): string[] {
    return this.calls.filter((call) => !call.startsWith('GET '));
  }

  /** The next requests fail in these ways, in turn; all after them are answered. */
  failNext(...faults: WebFault[]): void {
    this.fault = () => faults.shift();
  }

  /** Does what is asked. @returns status and body; bytes go as they are */
  protected abstract answer(call: WebCall): [number, unknown];

  async #take(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '', this.address);
    const { method = '', headers } = incoming;
    this.calls.push(`${method} ${url.pathname}${url.search}`);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const call = { method, url, headers, body: Buffer.concat(chunks) };
    const fault = this.fault(call);
    if (fault === 'cut') return void outgoing.destroy();
    const [status, body] = typeof fault === 'object' ? [fault.status, fault.body ?? {}] : this.answer(call);
    if (fault === 'lost') return void outgoing.destroy();
    const extra = typeof fault === 'object' ? fault.headers : undefined;
    outgoing.writeHead(status, { 'content-type': 'application/json', ...extra });
    outgoing.end(status === 204 ? undefined : Buffer.isBuffer(body) ? body : JSON.stringify(body));
  }
}
