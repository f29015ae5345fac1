import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { ApiError } from '../http/api-error.ts';
import { nameOf, type Target } from '../providers/model-name.ts';

/**
 * How a try at a provider failed: it could not be reached, did not begin its answer in time, broke off, answered
 * with an error, or answered with nonsense; or it was left alone, since the tries before it had failed.
 */
export type FailureKind = 'connect' | 'timeout' | 'cut' | 'status' | 'malformed' | 'open';

export interface FailureParts {
  readonly kind: FailureKind;
  readonly message: string;
  /** The provider's, where it answered with an error. */
  readonly status?: number;
  /** The provider's own words for programs, where it answered with an error. */
  readonly code?: string;
  readonly type?: string;
  readonly param?: string;
  /** How long the provider asks to be left alone, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The provider's own word on whether another try makes sense. */
  readonly shouldRetry?: boolean;
}

/** That a try at a provider failed. */
export class UpstreamFailure extends Error {
  override readonly name = 'UpstreamFailure';
  readonly target: Target;
  readonly parts: FailureParts;

  constructor(target: Target, parts: FailureParts) {
    super(parts.message);
    this.target = target;
    this.parts = parts;
  }

  /** Whether it tells against the provider's health, in place of the request, the key or the quota. */
  get isOutage(): boolean {
    const { kind, status = 0 } = this.parts;
    return kind === 'status' ? status >= 500 : kind !== 'open';
  }

  /** What happened, without the provider's own words: they may quote the request, or a part of a key. */
  get sentence(): string {
    const { kind, status = 0 } = this.parts;
    const text =
      ANSWERS[kind]?.text ?? (isKeyRefused(status) ? keyRefused(status) : `answered with ${status}`);
    return `${nameOf(this.target)} ${text}.`;
  }

  /** What the client is told. Its own mistakes pass as the provider put them. */
  toApiError(): ApiError {
    const { kind, status = 0, message, code, type, param, retryAfterMs } = this.parts;
    const wait = retryAfterMs === undefined ? {} : { retryAfter: retryAfterMs / 1000 };
    const answer = ANSWERS[kind];
    if (answer !== undefined) {
      return new ApiError(answer.status, { code: answer.code, message: this.#told(answer.text), ...wait });
    }
    if (isKeyRefused(status)) {
      // The client's own key is fine: it must not think otherwise. And the text may quote a part of the provider's.
      return new ApiError(502, { code: 'provider_key_refused', message: this.#told(keyRefused(status)) });
    }
    if (status >= 400 && status < 500) {
      const own = { ...(type === undefined ? {} : { type }), ...(param === undefined ? {} : { param }) };
      const standard = status === 429 ? 'rate_limit_exceeded' : 'invalid_request';
      return new ApiError(status as ContentfulStatusCode, {
        code: code ?? standard,
        message,
        ...own,
        ...wait,
      });
    }
    const text =
      status < 400 ? `answered with ${status}, which is not followed` : `failed (${status}): ${message}`;
    const isBusy = status === 503 || status === 529;
    return new ApiError(isBusy ? 503 : 502, { code: 'upstream_error', message: this.#told(text), ...wait });
  }

  #told(text: string): string {
    return `The provider of ${nameOf(this.target)} ${text}.`;
  }
}

function isKeyRefused(status: number): boolean {
  return status === 401 || status === 403;
}

function keyRefused(status: number): string {
  return `refused the key that is set for it (${status})`;
}

const ANSWERS: Readonly<
  Partial<
    Record<FailureKind, { readonly status: 502 | 503 | 504; readonly code: string; readonly text: string }>
  >
> = {
  connect: { status: 502, code: 'upstream_unreachable', text: 'can not be reached' },
  timeout: { status: 504, code: 'upstream_timeout', text: 'did not answer in time' },
  cut: { status: 502, code: 'upstream_cut', text: 'broke off its answer' },
  malformed: { status: 502, code: 'upstream_malformed', text: 'sent an answer that can not be read' },
  open: { status: 503, code: 'upstream_unavailable', text: 'failed too often and is left alone for a while' },
};
