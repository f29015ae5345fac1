import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { freePort } from '../../../src/release/machine/port.ts';
import type { Certified } from './certificates.ts';

export const USER = 'thoth';
export const PASSWORD = 'open sesame 4711';
/** Of PASSWORD, by bcrypt, the only kind that a registry takes. */
const HTPASSWD = `${USER}:$2b$04$abcdefghijklmnopqrstuulInl83Sw4kEbE36Njjj7xHeC.VMjlRO\n`;

/** A request as a registry's own access log has it. */
export interface Logged {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

/** A registry that a test started; its data stays after `stop`. */
export interface RegistryServer {
  /** `127.0.0.1:PORT` */
  readonly host: string;
  /** Every request it has answered since the last call. */
  requests(): Promise<Logged[]>;
  stop(): Promise<void>;
}

/** Tokens in place of passwords, as Docker Hub has it: who gives them, and whose signature counts. */
export interface TokenAuth {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  readonly rootcertbundle: string;
}

const LOGGED = /"(\S+) (\S+) HTTP\/[\d.]+" (\d{3}) /g;
const READY_WITHIN_MS = 30_000;

/**
 * Starts CNCF Distribution (Debian's docker-registry 2.8, or v3) on loopback, for USER with PASSWORD.
 *
 * @param options.data folder; two registries one after the other may have the same
 * @param options.tls without it, plain HTTP
 * @param options.token in place of htpasswd
 * @param options.readOnly its maintenance mode: everything that writes is refused
 */
export async function startRegistry(
  program: string,
  options: {
    data: string;
    tls?: Certified | undefined;
    token?: TokenAuth | undefined;
    readOnly?: boolean;
  },
): Promise<RegistryServer> {
  const { data, tls, token, readOnly = false } = options;
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  await mkdir(data, { recursive: true });
  const htpasswd = join(dirname(data), 'htpasswd');
  await writeFile(htpasswd, HTPASSWD);
  const config = join(dirname(data), `registry-${port}.json`);
  await writeFile(
    config,
    JSON.stringify({
      version: 0.1,
      log: { level: 'error' },
      storage: { filesystem: { rootdirectory: data }, maintenance: { readonly: { enabled: readOnly } } },
      auth: token === undefined ? { htpasswd: { realm: 'test', path: htpasswd } } : { token },
      http: { addr: host, ...(tls === undefined ? {} : { tls }) },
    }),
  );
  const child = execa(program, ['serve', config], {
    reject: false,
    stdin: 'ignore',
    extendEnv: false,
    env: { OTEL_TRACES_EXPORTER: 'none' },
    buffer: { stdout: false },
  });
  let log = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    log += text;
  });
  let ended: string | undefined;
  const exit = child.then(({ stderr }) => {
    ended = stderr;
  });
  for (const limit = Date.now() + READY_WITHIN_MS; !(await listens(port)); await sleep(20)) {
    if (ended !== undefined || Date.now() > limit) throw new Error(`${program} did not start: ${ended}`);
  }

  let barriers = 0;
  return {
    host,
    async requests() {
      barriers += 1;
      const barrier = `/barrier-${barriers}`;
      await ask(host, barrier, tls);
      while (!log.includes(`${barrier} `)) await sleep(5);
      const found = [...log.matchAll(LOGGED)].map(([, method = '', path = '', status = '']) => ({
        method,
        path,
        status: Number(status),
      }));
      log = '';
      return found.filter(({ path }) => !path.startsWith('/barrier-'));
    },
    async stop() {
      child.kill('SIGTERM');
      await exit;
    },
  };
}

/** Whether somebody listens there. */
function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

/** Asks for a path and drops the answer. */
async function ask(host: string, path: string, tls: Certified | undefined): Promise<void> {
  if (tls === undefined) {
    await (await fetch(`http://${host}${path}`)).arrayBuffer();
    return;
  }
  // Its own certificate is its proof: fetch has no way to say so.
  const ca = await readFile(tls.certificate);
  await new Promise<void>((resolve, reject) => {
    request(`https://${host}${path}`, { ca, rejectUnauthorized: false }, (response) => {
      response.resume().once('end', resolve);
    })
      .once('error', reject)
      .end();
  });
}
