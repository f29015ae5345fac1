import type { Nanos } from '../usage/money.ts';
import type { Scope } from './caller.ts';

/** What a key may use at most; `null` is no limit. */
export interface Limits {
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
  /** In a calendar month, UTC. */
  readonly monthlyBudget: Nanos | null;
}

export const NO_LIMITS: Limits = { requestsPerMinute: null, tokensPerMinute: null, monthlyBudget: null };

/** A client key as it is stored: everything but its secret. Times are milliseconds since 1970. */
export interface ClientKey {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly Scope[];
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
  readonly limits: Limits;
}

/** A key that is to be made. */
export type KeyDraft = Pick<ClientKey, 'name' | 'scopes' | 'expiresAt' | 'limits'>;
