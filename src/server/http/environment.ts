import type { HttpBindings } from '@hono/node-server';
import type { MiddlewareHandler } from 'hono';
import type { RequestIdVariables } from 'hono/request-id';
import type { Caller, Scope } from '../keys/caller.ts';
import type { Span } from '../telemetry/span.ts';

/** What every handler finds on its context. `Bindings` are absent where a test calls the app directly. */
export interface HttpEnvironment {
  Bindings: Partial<HttpBindings>;
  Variables: RequestIdVariables & {
    /** Set by `authorize`: only on routes behind it. */
    caller: Caller;
    /** Of the request. */
    span: Span;
  };
}

/** Makes the middleware that lets only keys with this scope pass. */
export type Authorize = (scope: Scope) => MiddlewareHandler<HttpEnvironment>;
