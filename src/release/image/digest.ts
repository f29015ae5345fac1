import { type BinaryLike, createHash } from 'node:crypto';

/** The SHA-256 of a text (as UTF-8) or of bytes, in hex. */
export function sha256(content: BinaryLike): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The digest that content is addressed by: `sha256:…` (OCI image spec, descriptor: digests). */
export function digestOf(content: BinaryLike): string {
  return `sha256:${sha256(content)}`;
}
