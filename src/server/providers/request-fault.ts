import type { z } from '@hono/zod-openapi';
import { ApiError } from '../http/api-error.ts';
import type { JsonMembers } from './json-members.ts';
import { NotAnObject } from './json-scanner.ts';

/** The provider's name as people write it. */
const TITLES = { openai: 'OpenAI', anthropic: 'Anthropic', google: 'Google' } as const;

/** That a request asks for what a provider does not have: 400. */
export function unsupported(provider: keyof typeof TITLES, param: string, hint?: string): ApiError {
  const text = `${TITLES[provider]} does not support '${param}' as it is given here.`;
  return new ApiError(400, {
    code: 'unsupported_parameter',
    message: hint === undefined ? text : `${text} ${hint}`,
    param,
  });
}

/** That a parameter has a value that makes no sense: 400. */
export function invalid(param: string, problem: string): ApiError {
  return new ApiError(400, { code: 'invalid_value', message: `'${param}' ${problem}.`, param });
}

/** That only OpenAI has a Responses API: 400. */
export function noResponses(): ApiError {
  return new ApiError(400, {
    code: 'unsupported',
    message: '/v1/responses serves models of openai/ alone. Use /v1/chat/completions for this one.',
    param: 'model',
  });
}

/** That a request is no JSON object: 400. */
export function notJson({ at }: NotAnObject): ApiError {
  return new ApiError(400, {
    code: 'invalid_json',
    message: `The request's body is not a JSON object, as byte ${at} shows.`,
  });
}

/**
 * Text that is translated is in memory several times over for a moment. This is some two million tokens, more
 * than any model takes.
 */
const LARGEST_TEXT = 8 * 1024 * 1024;

/**
 * Reads a whole request by its schema, with marks in place of images, files and recordings.
 *
 * @throws ApiError 400 that names the first member at fault, 413
 */
export function readRequest<Schema extends z.ZodType>(request: JsonMembers, schema: Schema): z.infer<Schema> {
  if (request.bytes.length - request.mediaBytes > LARGEST_TEXT) throw tooMuchText();
  let value: unknown;
  try {
    value = request.parse();
  } catch (error) {
    throw error instanceof NotAnObject ? notJson(error) : error;
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw schemaFault(parsed.error);
}

function tooMuchText(): ApiError {
  return new ApiError(413, {
    code: 'request_too_large',
    message: `There is more text than the ${LARGEST_TEXT} bytes that can be translated; images and files do not count.`,
  });
}

/** The first thing that a schema finds wrong, in OpenAI's words: 400. */
export function schemaFault(error: z.ZodError): ApiError {
  const issue = deepest(error.issues[0]);
  const param = issue === undefined ? undefined : pathText(issue.path);
  const problem = issue?.message ?? 'Invalid input';
  return new ApiError(400, {
    code: 'invalid_value',
    message: param === undefined || param === '' ? `${problem}.` : `'${param}': ${problem}.`,
    ...(param === undefined || param === '' ? {} : { param }),
  });
}

interface Issue {
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly code?: string | undefined;
  readonly errors?: readonly (readonly Issue[])[];
}

/** Of a union's alternatives, the one that got furthest says best what is wrong. */
function deepest(issue: Issue | undefined): Issue | undefined {
  if (issue?.errors === undefined) return issue;
  const [best] = issue.errors
    .map((alternative) => deepest(alternative[0]))
    .filter((inner) => inner !== undefined)
    .sort((a, b) => b.path.length - a.path.length);
  return best === undefined || best.path.length === 0
    ? issue
    : { ...best, path: [...issue.path, ...best.path] };
}

function pathText(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) => (typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`))
    .join('');
}

/**
 * Refuses a request that asks for what the provider does not have. A value that asks for nothing, such as
 * false, 0 or an empty list, is none.
 *
 * @throws ApiError 400 that names the parameter
 */
export function refuse<Request extends object>(
  provider: keyof typeof TITLES,
  request: Request,
  params: readonly (keyof Request & string)[],
): void {
  for (const param of params) if (asks(request[param])) throw unsupported(provider, param);
}

function asks(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return Boolean(value);
}
