import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context } from 'hono';
import { type Caller, SCOPES, type Scope } from '../keys/caller.ts';
import { NO_LIMITS } from '../keys/client-key.ts';
import type { Accepted, Keyring, Refusal } from '../keys/keyring.ts';
import type { Left } from '../limits/allowance.ts';
import type { Allowances } from '../limits/allowances.ts';
import type { Secret } from '../settings/secret.ts';
import { ApiError } from './api-error.ts';
import type { Authorize } from './environment.ts';

export interface AuthorizeParts {
  readonly keyring: Keyring;
  readonly allowances: Allowances;
  /** A key with every scope that is not in the store: THOTH_ADMIN_KEY. */
  readonly adminKey: Secret | undefined;
  /** Without it every request passes, but for those of other people's web pages. */
  readonly auth: 'on' | 'off';
}

const BEARER = /^Bearer +(\S+) *$/i;
const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

const EVERYTHING: ReadonlySet<Scope> = new Set(SCOPES);
const OPERATOR: Caller = { keyId: 'THOTH_ADMIN_KEY', name: 'THOTH_ADMIN_KEY', scopes: EVERYTHING };
const ANYBODY: Caller = { keyId: 'anonymous', name: 'anonymous', scopes: EVERYTHING };

/** Lets requests pass whose key has the scope, or `admin`, and sets `caller`. It answers 401 or 403 where a request may not pass. */
export function createAuthorize({ keyring, allowances, adminKey, auth }: AuthorizeParts): Authorize {
  const admin = adminKey === undefined ? undefined : digest(adminKey.reveal());
  const accept = (context: Context): Accepted => {
    if (auth === 'off') return anybody(context);
    const [, token] = BEARER.exec(context.req.header('Authorization') ?? '') ?? [];
    if (token === undefined) throw refused(context, 'missing');
    if (admin !== undefined && timingSafeEqual(digest(token), admin)) {
      return { caller: OPERATOR, limits: NO_LIMITS };
    }
    const found = keyring.authenticate(token);
    if (typeof found === 'string') throw refused(context, found);
    return found;
  };
  return (scope) => async (context, next) => {
    const { caller, limits } = accept(context);
    if (!caller.scopes.has(scope) && !caller.scopes.has('admin')) throw outOfScope(scope);
    const allowance = allowances.limit(caller.keyId, limits, Date.now());
    context.set('caller', caller);
    await next();
    const { requests, tokens } = allowance.left(Date.now());
    if (requests !== undefined) tell(context, 'requests', requests);
    if (tokens !== undefined) tell(context, 'tokens', tokens);
  };
}

/** Compared as digests: they are of one length, whatever was sent. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

/**
 * With AUTH=off the service listens on loopback alone, where each web page that somebody has open could reach it:
 * their requests name another origin.
 */
function anybody(context: Context): Accepted {
  const origin = context.req.header('Origin');
  if (origin !== undefined && !LOOPBACK.has(URL.parse(origin)?.hostname ?? '')) {
    const message = 'With AUTH=off, only web pages of this machine may call it.';
    throw new ApiError(403, { code: 'origin_refused', message });
  }
  return { caller: ANYBODY, limits: NO_LIMITS };
}

const REFUSALS: Readonly<Record<Refusal | 'missing', readonly [code: string, message: string]>> = {
  missing: [
    'missing_api_key',
    'There is no API key in this request. Send one as "Authorization: Bearer KEY".',
  ],
  unknown: ['invalid_api_key', 'The API key is not known here, or it was revoked.'],
  expired: ['expired_api_key', 'The API key has expired. Ask the operator for a new one.'],
};

function refused(context: Context, why: keyof typeof REFUSALS): ApiError {
  const [code, message] = REFUSALS[why];
  context.header('WWW-Authenticate', 'Bearer');
  return new ApiError(401, { code, message });
}

function outOfScope(scope: Scope): ApiError {
  const message = `This API key has not the scope "${scope}". Ask the operator for one that has.`;
  return new ApiError(403, { code: 'insufficient_scope', message });
}

/** The headers of OpenAI's "Rate limits" guide. */
function tell(context: Context, what: 'requests' | 'tokens', { limit, remaining, resetMs }: Left): void {
  context.header(`x-ratelimit-limit-${what}`, String(limit));
  context.header(`x-ratelimit-remaining-${what}`, String(remaining));
  context.header(`x-ratelimit-reset-${what}`, `${Math.ceil(resetMs / 10) / 100}s`);
}
