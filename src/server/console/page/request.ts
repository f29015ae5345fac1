import * as z from 'zod/mini';
import { Problem } from './problem.ts';
import { session } from './session.ts';

const ErrorBody = z.object({ error: z.object({ message: z.string() }) });

let onRefused: (sentence: string) => void = () => undefined;

/** @param act is called when the gateway does not know the key, or not any more */
export function whenRefused(act: typeof onRefused): void {
  onRefused = act;
}

export interface Asking {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * Asks the gateway, and only it: `path` is taken as below this page.
 *
 * @throws Problem where there is no answer or one of failure; the signal's reason
 */
export async function ask(path: string, { method = 'GET', body, signal }: Asking = {}): Promise<Response> {
  const { key } = session;
  const request: RequestInit = {
    method,
    headers: {
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(signal === undefined ? {} : { signal }),
  };
  let answer: Response;
  try {
    answer = await fetch(path, request);
  } catch {
    signal?.throwIfAborted();
    throw new Problem('The gateway can not be reached. Is it still running?');
  }
  if (answer.ok) return answer;
  const problem = new Problem(await sentenceOf(answer), answer.status);
  if (answer.status === 401) onRefused(problem.message);
  throw problem;
}

/** Asks for JSON of a known form. @throws Problem */
export async function askJson<Schema extends z.ZodMiniType>(
  path: string,
  schema: Schema,
  asking: Asking = {},
): Promise<z.infer<Schema>> {
  const answer = await ask(path, asking);
  const parsed = schema.safeParse(await answer.json().catch(() => undefined));
  if (!parsed.success)
    throw new Problem('The answer has another form than this page knows. Reload the page.');
  return parsed.data;
}

/** The sentence for what was thrown. A bug goes on to the browser's own log. */
export function sentenceFor(error: unknown): string {
  if (error instanceof Problem) return error.message;
  throw error;
}

async function sentenceOf(answer: Response): Promise<string> {
  const parsed = ErrorBody.safeParse(await answer.json().catch(() => undefined));
  if (parsed.success) return parsed.data.error.message;
  return `The answer was HTTP ${answer.status}, and not from Thoth: is there a proxy in between?`;
}
