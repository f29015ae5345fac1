import { z } from 'zod';
import type { ReleaseError } from '../errors.ts';
import { quote, type WebAnswer } from '../machine/web-answer.ts';
import { createWebApi, type WebLimits, type WebRequest } from '../machine/web-api.ts';

/** A repository on GitHub, by its REST API (docs.github.com/rest). Paths are below `/repos/OWNER/NAME`. */
export interface GitHub {
  /** `owner/name`. */
  readonly repository: string;
  /** Where people see it: `https://github.com/owner/name`. */
  readonly page: string;
  /** @returns `undefined` where there is no such thing */
  find<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined>;
  /** Every item of a list, page by page. */
  list<T>(path: string, schema: z.ZodType<T>): AsyncGenerator<T>;
  /** Creates or changes something. A POST whose answer was lost is not sent again: see {@link lost}. */
  write<T>(method: 'POST' | 'PATCH', path: string, body: unknown, schema: z.ZodType<T>): Promise<T>;
  /** Deletes something, also where it is gone already. */
  remove(path: string): Promise<void>;
  /** Sends a file to an address that GitHub gave for it. */
  upload<T>(address: string, type: string, bytes: Uint8Array, schema: z.ZodType<T>): Promise<T>;
  /** Waits before attempt `n + 1` of something whose answer was lost. */
  wait(attempt: number): Promise<unknown>;
}

/** The version of the API that is spoken; GitHub keeps one for two years after the next. */
const API_VERSION = '2022-11-28';
const PAGE = 100;

/**
 * Opens a repository on GitHub.
 *
 * @throws ReleaseError from each call: GITHUB_UNREACHABLE, GITHUB_DENIED, GITHUB_FAILED
 */
export function createGitHub(
  access: { address: string; repository: string; token?: string | undefined },
  limits: WebLimits = {},
): GitHub {
  const { address, repository, token } = access;
  const api = createWebApi(
    {
      name: 'GitHub',
      address,
      headers: {
        accept: 'application/vnd.github+json',
        'x-github-api-version': API_VERSION,
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      codes: { unreachable: 'GITHUB_UNREACHABLE', denied: 'GITHUB_DENIED', failed: 'GITHUB_FAILED' },
      secrets: [token],
    },
    limits,
  );
  const below = (path: string) => `${address.replace(/\/+$/, '')}/repos/${repository}${path}`;

  async function send(request: WebRequest): Promise<WebAnswer | undefined> {
    const answer = await api.send(request);
    if (answer.status >= 200 && answer.status < 300) return answer;
    if (answer.status === 404 && request.method !== 'POST' && request.method !== 'PATCH') return undefined;
    throw refusal(answer);
  }

  function refusal(answer: WebAnswer): ReleaseError {
    const why = quote(answer);
    if (answer.status === 401) return api.error('denied', 'does not know the token', LOGIN, why);
    // To who may not write, GitHub says that there is nothing.
    if (answer.status === 403 || answer.status === 404) {
      return api.error('denied', `does not let this token write to ${repository}`, RIGHTS, why);
    }
    return api.error('failed', `refused the request about ${repository}`, 'Read what it says below.', why);
  }

  async function sent<T>(request: WebRequest, schema: z.ZodType<T>): Promise<T> {
    const answer = await send(request);
    if (answer === undefined) throw new Error(`No answer to ${request.method} ${request.path}.`);
    return api.read(answer, schema);
  }

  return {
    repository,
    // GitHub Enterprise Server has its API at https://HOST/api/v3 (REST API, "Getting started").
    page: `${new URL(address).origin.replace('//api.github.com', '//github.com')}/${repository}`,
    wait: api.wait,
    async find(path, schema) {
      const answer = await send({ method: 'GET', path: below(path) });
      return answer === undefined ? undefined : api.read(answer, schema);
    },
    async *list(path, schema) {
      for (let page = 1; ; page += 1) {
        const separator = path.includes('?') ? '&' : '?';
        const where = below(`${path}${separator}per_page=${PAGE}&page=${page}`);
        const answer = await send({ method: 'GET', path: where });
        const items = answer === undefined ? [] : api.read(answer, z.array(schema));
        yield* items;
        if (items.length < PAGE) return;
      }
    },
    write: (method, path, body, schema) => sent({ method, path: below(path), body }, schema),
    async remove(path) {
      await send({ method: 'DELETE', path: below(path) });
    },
    upload: (to, type, bytes, schema) =>
      sent({ method: 'POST', path: to, body: bytes, headers: { 'content-type': type } }, schema),
  };
}

/** Whether an error says that nobody knows if the request had its effect: who sent it has to look. */
export function lost(error: unknown): boolean {
  return (error as ReleaseError).code === 'GITHUB_UNREACHABLE';
}

const LOGIN = 'Set GITHUB_TOKEN to a valid one; in a workflow it is secrets.GITHUB_TOKEN.';
const RIGHTS =
  'It needs "contents: write" for releases and "issues: write" for issues: in a workflow under `permissions`, else as a fine-grained token.';
