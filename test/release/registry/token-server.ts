import { createPrivateKey, sign, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Certified } from './certificates.ts';
import { PASSWORD, type TokenAuth, USER } from './registry-server.ts';

const HOUR_S = 3_600;

/** Seconds from now: when a token begins to hold, and when it ends. Registries let a minute pass. */
const LIFE = {
  valid: [-10, HOUR_S],
  expired: [-2 * HOUR_S, -HOUR_S],
  /** As where the clock of one of the two is wrong. */
  early: [HOUR_S, 2 * HOUR_S],
} as const;

/** Gives tokens for a registry to USER with PASSWORD, as auth.docker.io does (Distribution's token spec). */
export class TokenServer {
  life: keyof typeof LIFE = 'valid';
  /** The status of every answer. */
  answers: number[] = [];
  readonly #signer: Certified;
  readonly #server: Server;

  constructor(tls: Certified, signer: Certified) {
    this.#signer = signer;
    const files = { cert: readFileSync(tls.certificate), key: readFileSync(tls.key) };
    this.#server = createServer(files, (incoming, outgoing) => void this.#answer(incoming, outgoing));
  }

  /** Listens on a free loopback port. @returns what the registry has to know */
  async start(): Promise<TokenAuth> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    const { port } = this.#server.address() as AddressInfo;
    const realm = `https://127.0.0.1:${port}/token`;
    return { realm, service: 'registry', issuer: 'tokens', rootcertbundle: this.#signer.certificate };
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    let body = '';
    for await (const chunk of incoming) body += chunk;
    const query = new URL(incoming.url ?? '', 'https://host').searchParams;
    const form = new URLSearchParams(body);
    const [, basic = ''] = /^Basic (.+)$/.exec(incoming.headers.authorization ?? '') ?? [];
    const given = basic === '' ? `${form.get('username')}:${form.get('password')}` : atob(basic);
    const status = given === `${USER}:${PASSWORD}` ? 200 : 401;
    this.answers.push(status);
    const scopes = [...query.getAll('scope'), ...form.getAll('scope')].flatMap((scope) => scope.split(' '));
    const token = status === 200 ? this.#token(scopes) : undefined;
    const text = JSON.stringify(
      token === undefined
        ? { details: 'incorrect username or password' }
        : { token, access_token: token, expires_in: 300 },
    );
    outgoing.writeHead(status, { 'content-type': 'application/json' }).end(text);
  }

  /** A JSON Web Token, signed by ES256, its certificate in the header. */
  #token(scopes: readonly string[]): string {
    const now = Math.floor(Date.now() / 1_000);
    const [from, to] = LIFE[this.life];
    const access = scopes.map((scope) => {
      const [type, name, actions = ''] = scope.split(':');
      return { type, name, actions: actions.split(',') };
    });
    const certificate = new X509Certificate(readFileSync(this.#signer.certificate));
    const header = { typ: 'JWT', alg: 'ES256', x5c: [certificate.raw.toString('base64')] };
    const claims = {
      ...{ iss: 'tokens', sub: USER, aud: 'registry', jti: String(this.answers.length) },
      ...{ iat: now + from, nbf: now + from, exp: now + to, access },
    };
    const text = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const key = createPrivateKey(readFileSync(this.#signer.key));
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  }
}
