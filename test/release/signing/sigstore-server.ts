import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { requireTool } from '../../../src/release/machine/tools.ts';
import { type Certified, makeAuthority } from '../registry/certificates.ts';
import { HOME } from '../registry/registry-workshop.ts';

const CertificateRequest = z.object({
  publicKeyRequest: z.object({ publicKey: z.object({ content: z.string() }), proofOfPossession: z.base64() }),
});
const SINCE = 'start-time=2020-01-01T00:00:00Z';

/**
 * Speaks for GitHub's token service, Fulcio and a time stamp authority, as far as signing asks them: the certificates
 * and time stamps are real ones, by openssl. There is no transparency log, as in many a Sigstore of one's own.
 */
export class SigstoreServer {
  /** Who the next tokens are for: the workflow's file at its ref, as GitHub's `job_workflow_ref`. */
  workflow: string;
  /** What was asked, in order. */
  readonly seen: string[] = [];
  readonly #dir: string;
  readonly #fulcio: Certified;
  readonly #stamps: Certified;
  #server: Server | undefined;
  #url = '';
  #token = '';

  private constructor(dir: string, workflow: string, fulcio: Certified, stamps: Certified) {
    this.#dir = dir;
    this.workflow = workflow;
    this.#fulcio = fulcio;
    this.#stamps = stamps;
  }

  /** @param dir a folder that the test removes */
  static async open(dir: string, workflow: string): Promise<SigstoreServer> {
    const own = await mkdtemp(join(dir, 'sigstore-'));
    const [fulcio, root] = await Promise.all([
      makeAuthority(own, 'fulcio'),
      makeAuthority(own, 'stamps-root'),
    ]);
    const server = new SigstoreServer(own, workflow, fulcio, await stampsBy(own, root));
    await server.#listen(root);
    return server;
  }

  /** Variables by which GitHub lets a job with `id-token: write` ask for tokens. */
  get tokenVariables(): Record<string, string> {
    return {
      ACTIONS_ID_TOKEN_REQUEST_URL: `${this.#url}/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: 'request token 4711',
    };
  }

  /** Files that name these services, and whom to trust for them; cosign made them. */
  get files(): { signingConfig: string; trustedRoot: string } {
    return { signingConfig: join(this.#dir, 'signing.json'), trustedRoot: join(this.#dir, 'root.json') };
  }

  async stop(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise<void>((done) => this.#server?.close(() => done()) ?? done());
  }

  async #listen(stampsRoot: Certified): Promise<void> {
    const server = createServer((incoming, outgoing) => {
      this.#answer(incoming, outgoing).catch((error: Error) => outgoing.writeHead(500).end(error.message));
    });
    this.#server = server;
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    this.#url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const { signingConfig, trustedRoot } = this.files;
    const chain = join(this.#dir, 'stamps-chain.pem');
    const pems = await Promise.all(
      [this.#stamps, stampsRoot].map(({ certificate }) => readFile(certificate, 'utf8')),
    );
    await writeFile(chain, pems.join(''));
    const service = (path: string) => `url=${this.#url}${path},api-version=1,${SINCE},operator=test`;
    const cosign = await requireTool('cosign', HOME);
    await execa(cosign, [
      ...['signing-config', 'create', '--fulcio', service(''), '--tsa', service('/stamp')],
      ...['--tsa-config', 'ANY', '--out', signingConfig],
    ]);
    await execa(cosign, [
      ...['trusted-root', 'create', '--out', trustedRoot],
      ...['--fulcio', `url=${this.#url},certificate-chain=${this.#fulcio.certificate},${SINCE}`],
      ...['--tsa', `url=${this.#url}/stamp,certificate-chain=${chain},${SINCE}`],
    ]);
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(incoming.url ?? '', this.#url);
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    this.seen.push(pathname);
    const { authorization = '' } = incoming.headers;
    if (pathname === '/token') {
      const right =
        authorization === 'bearer request token 4711' && searchParams.get('audience') === 'sigstore';
      outgoing.writeHead(right ? 200 : 401).end(JSON.stringify({ value: right ? this.#newToken() : '' }));
    } else if (pathname === '/api/v2/signingCert') {
      if (authorization !== `Bearer ${this.#token}`) return void outgoing.writeHead(401).end('no such token');
      const request = CertificateRequest.parse(JSON.parse(body.toString()));
      const certificates = [await this.#certify(request.publicKeyRequest.publicKey.content)];
      outgoing.end(JSON.stringify({ signedCertificateEmbeddedSct: { chain: { certificates } } }));
    } else if (pathname === '/stamp') outgoing.writeHead(201).end(await this.#stamp(body));
    else outgoing.writeHead(404).end();
  }

  /** A JWT that nobody here verifies: cosign reads its subject. The same for everybody who asks at once. */
  #newToken(): string {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = { iss: 'https://token.actions.githubusercontent.com', sub: 'repo:a/b', aud: 'sigstore' };
    this.#token = `${part({ alg: 'none' })}.${part(claims)}.${part({})}`;
    return this.#token;
  }

  /** As Fulcio does for a token of GitHub's (fulcio, docs/oid-info.md). @returns PEM */
  async #certify(publicKey: string): Promise<string> {
    const folder = await mkdtemp(join(this.#dir, 'certificate-'));
    const files = {
      key: join(folder, 'key.pem'),
      extensions: join(folder, 'extensions'),
      out: join(folder, 'out.pem'),
    };
    await writeFile(files.key, publicKey);
    const extensions = [
      'keyUsage=critical,digitalSignature',
      'extendedKeyUsage=codeSigning',
      `subjectAltName=critical,URI:https://github.com/${this.workflow}`,
      '1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:https://token.actions.githubusercontent.com',
    ];
    await writeFile(files.extensions, extensions.join('\n'));
    await execa('openssl', [
      ...['x509', '-new', '-force_pubkey', files.key, '-subj', '/', '-days', '1', '-out', files.out],
      ...['-CA', this.#fulcio.certificate, '-CAkey', this.#fulcio.key, '-extfile', files.extensions],
    ]);
    return readFile(files.out, 'utf8');
  }

  /** RFC 3161. */
  async #stamp(query: Buffer): Promise<Buffer> {
    const folder = await mkdtemp(join(this.#dir, 'stamp-'));
    const files = {
      query: join(folder, 'query'),
      config: join(folder, 'config'),
      serial: join(folder, 'serial'),
    };
    await writeFile(files.query, query);
    const settings = [
      'default_policy=1.2.3.4',
      'digests=sha256',
      'signer_digest=sha256',
      `serial=${files.serial}`,
    ];
    await writeFile(files.config, ['[tsa]', 'default_tsa=own', '[own]', ...settings, ''].join('\n'));
    const { stdout } = await execa(
      'openssl',
      [
        ...['ts', '-reply', '-config', files.config, '-queryfile', files.query],
        ...['-signer', this.#stamps.certificate, '-inkey', this.#stamps.key],
      ],
      { encoding: 'buffer', stripFinalNewline: false },
    );
    return Buffer.from(stdout);
  }
}

/** A certificate that may stamp times, and nothing else. */
async function stampsBy(dir: string, root: Certified): Promise<Certified> {
  const files = { certificate: join(dir, 'stamps.pem'), key: join(dir, 'stamps.key') };
  await execa('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=Thoth test stamps', '-out', files.certificate, '-keyout', files.key],
    ...['-CA', root.certificate, '-CAkey', root.key],
    ...['-addext', 'basicConstraints=critical,CA:FALSE', '-addext', 'keyUsage=critical,digitalSignature'],
    ...['-addext', 'extendedKeyUsage=critical,timeStamping'],
  ]);
  return files;
}
