import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';

export interface ApiErrorParts {
  /** What programs act on, such as `model_not_found`. */
  readonly code: string;
  /** What is wrong and what to do about it, for people. */
  readonly message: string;
  /** By default the status decides: `server_error` from 500 on, else `invalid_request_error`. */
  readonly type?: string;
  /** The parameter at fault, such as `messages[0].content`. */
  readonly param?: string;
  /** Seconds after which another try may succeed, for `Retry-After`. */
  readonly retryAfter?: number;
}

/** A refusal that the client is told of, in OpenAI's shape. Anything else that is thrown is a bug. */
export class ApiError extends HTTPException {
  override readonly name = 'ApiError';
  readonly code: string;
  readonly type: string;
  readonly param: string | null;
  readonly retryAfter: number | undefined;

  constructor(status: ContentfulStatusCode, { code, message, type, param, retryAfter }: ApiErrorParts) {
    super(status, { message });
    this.code = code;
    this.type = type ?? (status < 500 ? 'invalid_request_error' : 'server_error');
    this.param = param ?? null;
    this.retryAfter = retryAfter;
  }
}
