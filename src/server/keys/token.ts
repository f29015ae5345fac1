import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const TOKEN = /^thoth_([0-9a-f]{12})_([0-9a-f]{64})$/;
const ID_BYTES = 6;
const SECRET_BYTES = 32;

/** A client key as clients send it: `thoth_ID_SECRET`. The id is no secret; the secret is 256 random bits. */
export interface Token {
  readonly id: string;
  readonly secret: string;
}

export function newToken(id = randomBytes(ID_BYTES).toString('hex')): Token {
  return { id, secret: randomBytes(SECRET_BYTES).toString('hex') };
}

/** @returns `undefined` where the text is no such token */
export function parseToken(text: string): Token | undefined {
  const [, id, secret] = TOKEN.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

export function formatToken({ id, secret }: Token): string {
  return `thoth_${id}_${secret}`;
}

/** What is stored of a secret: HMAC-SHA-256, whose key is in a file beside the database. */
export function hashSecret(hashKey: Buffer, secret: string): Buffer {
  return createHmac('sha256', hashKey).update(secret).digest();
}

/** Compares in a time that tells nothing of where the two differ. */
export function sameBytes(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
