import { z } from '@hono/zod-openapi';

const text = z.string().min(1);
const word = text.nullish().catch(undefined);

/** What the three providers' errors have in common. Some servers send a sentence alone. */
const Fault = z.union([
  z.object({
    message: text,
    type: word,
    /** With Google, the status again. */
    code: word,
    param: word,
    /** Google's word for programs. */
    status: word,
  }),
  text.transform((message) => ({ message, type: null, code: null, param: null, status: null })),
]);
const Body = z.object({ error: Fault });

/** Google sends a list of one error where a stream fails at once. */
const ErrorBody = z.union([Body, z.tuple([Body], z.unknown()).transform(([first]) => first)]);

/** A provider's error, in the words it used. */
export interface ProviderError {
  readonly message: string;
  readonly type?: string;
  readonly code?: string;
  readonly param?: string;
}

const LONGEST_MESSAGE = 2000;

/** Reads the body of a provider's error; whatever it is, it makes a sentence. */
export function readErrorBody(body: string, status: number): ProviderError {
  const fault = parse(body);
  if (fault === undefined) return { message: `HTTP status ${status} without a reason` };
  const code = fault.code ?? fault.status?.toLowerCase();
  return {
    message: fault.message.slice(0, LONGEST_MESSAGE),
    ...(fault.type ? { type: fault.type } : {}),
    ...(code ? { code } : {}),
    ...(fault.param ? { param: fault.param } : {}),
  };
}

function parse(body: string) {
  try {
    return ErrorBody.parse(JSON.parse(body)).error;
  } catch {
    return undefined;
  }
}
