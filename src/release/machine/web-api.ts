import { setTimeout as sleep } from 'node:timers/promises';
import { EnvHttpProxyAgent, fetch } from 'undici';
import { z } from 'zod';
import { type ErrorCode, ReleaseError } from '../errors.ts';
import { isLimited, QUOTED, quote, reasonOf, type WebAnswer, waitOf } from './web-answer.ts';

/** A web service that is spoken to in JSON over HTTP: Docker Hub's, GitHub's. */
export interface WebApi {
  /**
   * Sends one request. 429, a rate limit's 403, server errors, resets and time-outs are met here by sending it
   * again; every other answer is the caller's to read.
   *
   * @throws ReleaseError `unreachable` where it failed again and again, or once where it may not be sent twice;
   *   `failed` where the service asks to wait longer than is worth it
   */
  send(request: WebRequest): Promise<WebAnswer>;
  /** Reads an answer's JSON. @throws ReleaseError `failed` where it has another form */
  read<T>(answer: WebAnswer, schema: z.ZodType<T>): T;
  /** Waits a random while that grows with each attempt, from the first. */
  wait(attempt: number): Promise<unknown>;
  error(
    kind: 'unreachable' | 'denied' | 'failed',
    problem: string,
    remedy: string,
    why?: string,
  ): ReleaseError;
}

export interface WebRequest {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** A path below the service's address, or a whole address that the service gave. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes go as they are, anything else as JSON. */
  readonly body?: unknown;
  /** Whether it may be sent again where its answer was lost; default: not where it is a POST. */
  readonly repeat?: boolean;
}

/** How a service is called, and where it is. */
export interface WebService {
  /** `Docker Hub`. */
  readonly name: string;
  readonly address: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly codes: Readonly<Record<'unreachable' | 'denied' | 'failed', ErrorCode>>;
  /** Never shown, should the service send them back. */
  readonly secrets?: readonly (string | undefined)[];
}

/** How often, and how long; a test puts its own pause in place. */
export interface WebLimits {
  readonly attempts?: number;
  readonly pause?: (ms: number) => Promise<unknown>;
  readonly timeout?: number;
  readonly signal?: AbortSignal | undefined;
  /** Told before a wait that a service asked for. */
  readonly warn?: (text: string) => void;
}

const ATTEMPTS = 6;
const TIMEOUT_MS = 60_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 20_000;
/** GitHub's limit is an hour's; nobody waits that long for a release. */
const LONGEST_WAIT_MS = 10 * 60_000;

/** Speaks to a web service. A proxy is taken from HTTPS_PROXY and NO_PROXY, as by the other tools of a release. */
export function createWebApi(service: WebService, limits: WebLimits = {}): WebApi {
  const { attempts = ATTEMPTS, timeout = TIMEOUT_MS, signal } = limits;
  const pause = limits.pause ?? ((ms: number) => sleep(ms, undefined, { signal }));
  const secrets = (service.secrets ?? []).filter((secret) => secret !== undefined && secret !== '');
  const proxy = new EnvHttpProxyAgent();
  let answered = false;

  const error: WebApi['error'] = (kind, problem, remedy, why) => {
    const shown = secrets.reduce<string>(
      (text, secret) => text.replaceAll(secret as string, '***'),
      why ?? '',
    );
    return new ReleaseError(
      service.codes[kind],
      `${service.name} ${problem}.`,
      remedy,
      shown === '' ? [] : [shown],
    );
  };
  const wait = (attempt: number) =>
    pause((0.5 + Math.random() / 2) * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (attempt - 1)));

  async function once({ method, path, headers, body }: WebRequest): Promise<WebAnswer> {
    const bytes = body instanceof Uint8Array;
    const answer = await fetch(new URL(path, `${service.address.replace(/\/+$/, '')}/`), {
      method,
      headers: {
        accept: 'application/json',
        'user-agent': 'thoth-release',
        ...(body === undefined || bytes ? {} : { 'content-type': 'application/json' }),
        ...service.headers,
        ...headers,
      },
      ...(body === undefined ? {} : { body: bytes ? body : JSON.stringify(body) }),
      signal: AbortSignal.any([AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])]),
      dispatcher: proxy,
    });
    return { status: answer.status, headers: answer.headers, text: await answer.text() };
  }

  return {
    error,
    wait,
    async send(request) {
      const repeat = request.repeat ?? request.method !== 'POST';
      for (let attempt = 1; ; attempt += 1) {
        const last = attempt >= attempts;
        const answer = await once(request).catch((cause: unknown) => {
          signal?.throwIfAborted();
          return reasonOf(cause);
        });
        const lost = typeof answer === 'string';
        answered ||= !lost;
        const limited = !lost && isLimited(answer);
        if (!lost && !limited && answer.status < 500) return answer;
        const why = lost ? answer : quote(answer);
        if (limited) {
          // It was refused before it had any effect, so even a POST may be sent again.
          const ms = waitOf(answer.headers, Date.now());
          if (last || ms > LONGEST_WAIT_MS) throw error('failed', `asks to wait ${seconds(ms)}`, LATER, why);
          limits.warn?.(`${service.name} asks to wait ${seconds(ms)}: its rate limit is used up`);
          await pause(ms);
          continue;
        }
        const never = lost && !answered && NOBODY.test(why);
        if (!repeat || last || never) {
          throw error(
            'unreachable',
            `at ${service.address} ${lost ? 'can not be reached' : 'failed'}`,
            CHECK,
            why,
          );
        }
        await wait(attempt);
      }
    },
    read(answer, schema) {
      try {
        return schema.parse(JSON.parse(answer.text));
      } catch (cause) {
        const why = cause instanceof z.ZodError ? z.prettifyError(cause) : quote(answer);
        throw error(
          'failed',
          'answered something else than its documentation says',
          FORM,
          why.slice(0, QUOTED),
        );
      }
    },
  };
}

/** Where nobody ever answered there is nobody to wait for. */
const NOBODY = /ENOTFOUND|ECONNREFUSED|CERT|SELF_SIGNED/;
const CHECK =
  "Check the network, a proxy (HTTPS_PROXY) and the service's status page, and run the same command again: it goes on from there.";
const LATER = 'Its rate limit is used up. Run the same command again after that time: it goes on from there.';
const FORM = 'Check its address: a web server, or the page of a proxy, may stand there.';

function seconds(ms: number): string {
  return ms < 120_000 ? `${Math.ceil(ms / 1_000)} seconds` : `${Math.ceil(ms / 60_000)} minutes`;
}
