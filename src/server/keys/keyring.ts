import type { DatabaseSync } from 'node:sqlite';
import type { Store } from '../store/store.ts';
import { type Caller, SCOPES, type Scope } from './caller.ts';
import type { ClientKey, KeyDraft, Limits } from './client-key.ts';
import { readHashKey } from './hash-key.ts';
import { formatToken, hashSecret, newToken, parseToken, sameBytes, type Token } from './token.ts';

/** A key that was made or rotated, and its token: the only time that it can be seen. */
export interface IssuedKey {
  readonly key: ClientKey;
  readonly token: string;
}

export interface Accepted {
  readonly caller: Caller;
  readonly limits: Limits;
}

/** Why a token is not accepted. That it is expired is told only to who has its secret. */
export type Refusal = 'unknown' | 'expired';

interface KeyRow {
  readonly id: string;
  readonly name: string;
  readonly scopes: string;
  readonly created_at: number;
  readonly expires_at: number | null;
  readonly revoked_at: number | null;
  readonly requests_per_minute: number | null;
  readonly tokens_per_minute: number | null;
  readonly monthly_budget: number | null;
}

interface SecretRow extends KeyRow {
  readonly hash: Uint8Array;
  readonly secret_expires_at: number | null;
}

/** A token that was looked up. */
interface Known {
  readonly secret: Buffer;
  readonly accepted: Accepted;
  readonly expiresAt: number | null;
}

const SECRETS_OF = `
  SELECT client_key.*, hash, client_secret.expires_at AS secret_expires_at
  FROM client_key JOIN client_secret ON key_id = id WHERE id = ?`;

/**
 * The client keys. What another process changes counts at once: each request asks the database whether it was
 * written to, which takes two microseconds, where looking a key up takes fifteen.
 *
 * All of it throws Failure where the store can't be used.
 */
export class Keyring {
  readonly #store: Store;
  readonly #now: () => number;
  #hashKey: Buffer | undefined;
  readonly #known = new Map<string, Known>();
  #seen: { readonly database: DatabaseSync; readonly version: number } | undefined;

  constructor(store: Store, now: () => number = Date.now) {
    this.#store = store;
    this.#now = now;
  }

  /** Whether no key was ever made. */
  isEmpty(): boolean {
    return this.#store.read(
      () => this.#store.prepare('SELECT 1 FROM client_key LIMIT 1').get() === undefined,
    );
  }

  create({ name, scopes, expiresAt, limits }: KeyDraft): IssuedKey {
    const token = newToken();
    const { requestsPerMinute, tokensPerMinute, monthlyBudget } = limits;
    this.#durably(() => {
      this.#store
        .prepare('INSERT INTO client_key VALUES (?, ?, ?, ?, ?, NULL, ?, ?, ?)')
        .run(
          token.id,
          name,
          scopes.join(' '),
          this.#now(),
          expiresAt,
          requestsPerMinute,
          tokensPerMinute,
          monthlyBudget,
        );
      this.#addSecret(token);
    });
    return this.#issued(token);
  }

  /** All keys, the newest first. */
  list(): ClientKey[] {
    return this.#store.read(() => {
      const rows = this.#store.prepare('SELECT * FROM client_key ORDER BY created_at DESC, id').all();
      return rows.map((row) => keyOf(row as unknown as KeyRow));
    });
  }

  find(id: string): ClientKey | undefined {
    return this.#store.read(() => {
      const row = this.#store.prepare('SELECT * FROM client_key WHERE id = ?').get(id);
      return row === undefined ? undefined : keyOf(row as unknown as KeyRow);
    });
  }

  /** From now on the key is refused, for ever: its secrets are deleted. @returns the key; `undefined` where there is none */
  revoke(id: string): ClientKey | undefined {
    this.#durably(() => {
      this.#store
        .prepare('UPDATE client_key SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL')
        .run(this.#now(), id);
      this.#store.prepare('DELETE FROM client_secret WHERE key_id = ?').run(id);
    });
    return this.find(id);
  }

  /**
   * Gives a key a new secret. Its name, scopes, limits and usage stay.
   *
   * @param overlapMs how long the old secret is still accepted
   * @returns `undefined` where there is no such key, or it is revoked
   */
  rotate(id: string, overlapMs: number): IssuedKey | undefined {
    const token = newToken(id);
    const done = this.#durably(() => {
      const key = this.find(id);
      if (key === undefined || key.revokedAt !== null) return false;
      const now = this.#now();
      this.#store
        .prepare(
          'UPDATE client_secret SET expires_at = min(ifnull(expires_at, :until), :until) WHERE key_id = :id',
        )
        .run({ until: now + overlapMs, id });
      this.#store.prepare('DELETE FROM client_secret WHERE expires_at <= ?').run(now);
      this.#addSecret(token);
      return true;
    });
    return done ? this.#issued(token) : undefined;
  }

  /** Who a token belongs to. */
  authenticate(text: string): Accepted | Refusal {
    const token = parseToken(text);
    if (token === undefined) return 'unknown';
    const known = this.#store.read(() => this.#remembered(token) ?? this.#lookUp(token));
    if (known === undefined) return 'unknown';
    return known.expiresAt !== null && known.expiresAt <= this.#now() ? 'expired' : known.accepted;
  }

  #lookUp(token: Token): Known | undefined {
    const rows = this.#store.prepare(SECRETS_OF).all(token.id) as unknown as SecretRow[];
    if (rows.length === 0) return undefined;
    const hash = this.#hash(token.secret);
    const row = rows.find((candidate) => sameBytes(candidate.hash, hash));
    if (row === undefined) return undefined;
    const { id, name, scopes, limits } = keyOf(row);
    const ends = [row.expires_at, row.secret_expires_at].filter((end) => end !== null);
    const known = {
      secret: Buffer.from(token.secret),
      accepted: { caller: { keyId: id, name, scopes: new Set(scopes) }, limits },
      expiresAt: ends.length === 0 ? null : Math.min(...ends),
    };
    this.#known.set(token.id, known);
    return known;
  }

  /** What was looked up before, where nobody has written to the database since, in whatever process. */
  #remembered({ id, secret }: Token): Known | undefined {
    const database = this.#store.database();
    const version = Number(this.#store.prepare('PRAGMA data_version').get()?.data_version);
    if (database !== this.#seen?.database || version !== this.#seen.version) {
      this.#known.clear();
      this.#seen = { database, version };
    }
    const known = this.#known.get(id);
    return known !== undefined && sameBytes(known.secret, Buffer.from(secret)) ? known : undefined;
  }

  #addSecret({ id, secret }: Token): void {
    const hash = this.#hash(secret);
    this.#store.prepare('INSERT INTO client_secret VALUES (?, ?, NULL)').run(id, hash);
  }

  #hash(secret: string): Buffer {
    this.#hashKey ??= readHashKey(this.#store.directory, this.#hasNoSecret());
    return hashSecret(this.#hashKey, secret);
  }

  #hasNoSecret(): boolean {
    return this.#store.prepare('SELECT 1 FROM client_secret LIMIT 1').get() === undefined;
  }

  #issued(token: Token): IssuedKey {
    const key = this.find(token.id);
    if (key === undefined) throw new Error(`The key ${token.id} was just written and is not there.`);
    return { key, token: formatToken(token) };
  }

  #durably<T>(work: () => T): T {
    this.#known.clear(); // data_version tells of others' changes alone
    return this.#store.transaction(work, { durable: true });
  }
}

function keyOf(row: KeyRow): ClientKey {
  return {
    id: row.id,
    name: row.name,
    scopes: scopesOf(row.scopes),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    limits: {
      requestsPerMinute: row.requests_per_minute,
      tokensPerMinute: row.tokens_per_minute,
      monthlyBudget: row.monthly_budget,
    },
  };
}

/** A scope that this version does not know, from a database that a newer one wrote to, grants nothing. */
function scopesOf(text: string): Scope[] {
  const words = new Set(text.split(' '));
  return SCOPES.filter((scope) => words.has(scope));
}
