import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';

export const MANIFEST = 'manifest.json';
export const FORMAT = 1;

/** What a backup holds: the first file in it. */
export const Manifest = z.object({
  /** How the backup itself is laid out. */
  format: z.int(),
  thoth: z.string(),
  schema: z.int(),
  created_at: z.iso.datetime(),
  files: z.array(
    z.object({
      name: z.enum(['thoth.db', 'hmac.key', 'usage.journal']),
      size: z.int().nonnegative(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/),
    }),
  ),
});
export type Manifest = z.infer<typeof Manifest>;

/** The SHA-256 of a file, in hexadecimal digits. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
