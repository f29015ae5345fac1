import { z } from 'zod';
import { ADMIN_KEY } from '../data.ts';

const Body = z.record(z.string(), z.unknown());

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
  /** The code of an error. */
  readonly code: unknown;
}

/** Asks an app, or a service by its URL, with a key. */
export function client(
  fetchIt: (path: string, init: RequestInit) => Response | Promise<Response>,
  key = ADMIN_KEY,
) {
  const ask = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const headers = {
      ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    };
    const answer = await fetchIt(path, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const parsed = Body.parse(await answer.json());
    const error = Body.safeParse(parsed.error).data;
    return { status: answer.status, headers: answer.headers, body: parsed, code: error?.code };
  };
  return {
    get: (path: string) => ask('GET', path),
    post: (path: string, body?: unknown) => ask('POST', path, body),
    delete: (path: string) => ask('DELETE', path),
  };
}
