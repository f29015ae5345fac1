import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';

/** What is left to cosign's own defaults, Sigstore's public services, where it is `undefined`. Paths are absolute. */
export interface Services {
  readonly signingConfig?: string | undefined;
  readonly trustedRoot?: string | undefined;
}

/** What a trusted root names (Sigstore's protobuf-specs, sigstore_trustroot.proto). */
const TrustedRoot = z.object({
  tlogs: z.array(z.unknown()).default([]),
  ctlogs: z.array(z.unknown()).default([]),
  timestampAuthorities: z.array(z.unknown()).default([]),
});
export type TrustedRoot = z.infer<typeof TrustedRoot>;
const SigningConfig = z.object({ mediaType: z.string().includes('signingconfig') });

/** What a file of keys and certificates names. @throws ReleaseError SETTING_INVALID */
export function readRoot(path: string): Promise<TrustedRoot> {
  return readService(path, TrustedRoot, 'THOTH_TRUSTED_ROOT', 'trusted-root');
}

/** Looks at the files before anything is done with them. @throws ReleaseError SETTING_INVALID */
export async function assertServices({ signingConfig, trustedRoot }: Services): Promise<void> {
  if (trustedRoot !== undefined) await readRoot(trustedRoot);
  if (signingConfig === undefined) return;
  await readService(signingConfig, SigningConfig, 'THOTH_SIGNING_CONFIG', 'signing-config');
}

async function readService<T>(
  path: string,
  schema: z.ZodType<T>,
  variable: string,
  what: string,
): Promise<T> {
  try {
    return schema.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    throw new ReleaseError(
      'SETTING_INVALID',
      `${variable}: ${path} is not what it should be.`,
      `Make one with \`cosign ${what} create\`.`,
      cause instanceof z.ZodError ? z.prettifyError(cause).split('\n') : [String(cause)],
      cause,
    );
  }
}
