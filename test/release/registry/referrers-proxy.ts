import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';

const Manifest = z.object({
  mediaType: z.string(),
  artifactType: z.string().optional(),
  subject: z.object({ digest: z.string() }).optional(),
  annotations: z.record(z.string(), z.string()).optional(),
});

/**
 * Gives a registry the referrers API, which neither of the two that tests have speaks: Docker Hub and GitHub's do. It
 * answers for what was pushed through it (OCI distribution spec 1.1, "listing referrers", "pushing manifests with
 * subject").
 */
export class ReferrersProxy {
  readonly #upstream: string;
  readonly #lists = new Map<string, Map<string, object>>();
  #server: Server | undefined;

  /** @param upstream `host:port` of the registry */
  constructor(upstream: string) {
    this.#upstream = upstream;
  }

  /** Listens on loopback. @returns `host:port` */
  async start(): Promise<string> {
    const server = createServer((incoming, outgoing) => void this.#pass(incoming, outgoing));
    this.#server = server;
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((done) => this.#server?.close(() => done()) ?? done());
  }

  async #pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const path = incoming.url ?? '';
    const listed = /^\/v2\/(.+)\/referrers\/(sha256:[0-9a-f]{64})/.exec(path);
    if (listed !== null) return this.#list(`${listed[1]}@${listed[2]}`, outgoing);
    const subject = this.#record(incoming.method, path, body);
    const [host, port] = this.#upstream.split(':');
    const { method, headers } = incoming;
    const onward = request({ host, port, method, path, headers, agent: false }, (answer) => {
      const extra = subject === undefined ? {} : { 'oci-subject': subject };
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, ...extra });
      answer.pipe(outgoing);
    });
    onward.on('error', () => incoming.socket.destroy());
    onward.end(body);
  }

  #list(subject: string, outgoing: ServerResponse): void {
    const manifests = [...(this.#lists.get(subject)?.values() ?? [])];
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    outgoing.writeHead(200, { 'content-type': mediaType });
    outgoing.end(JSON.stringify({ schemaVersion: 2, mediaType, manifests }));
  }

  /** @returns the subject of a manifest that has one */
  #record(method: string | undefined, path: string, body: Buffer): string | undefined {
    const repository = /^\/v2\/(.+)\/manifests\//.exec(path)?.[1];
    if (method !== 'PUT' || repository === undefined) return undefined;
    const { mediaType, artifactType, subject, annotations } = Manifest.parse(JSON.parse(body.toString()));
    if (subject === undefined) return undefined;
    const digest = `sha256:${createHash('sha256').update(body).digest('hex')}`;
    const key = `${repository}@${subject.digest}`;
    const list = this.#lists.get(key) ?? new Map<string, object>();
    this.#lists.set(
      key,
      list.set(digest, { mediaType, digest, size: body.length, artifactType, annotations }),
    );
    return subject.digest;
  }
}
