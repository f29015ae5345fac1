import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { GITHUB_ISSUER, releaseIdentity } from '../machine/workflow.ts';
import type { Settings } from '../settings.ts';

const Fingerprint = z.string().regex(/^[0-9a-f]{64}$/, 'not a SHA-256 in hex');

/** Who signs a release; part of its plan. A fingerprint is the SHA-256 of the public key (DER, SPKI). */
export const Signing = z.discriminatedUnion('mode', [
  /** By an OIDC token, with a certificate of Sigstore's that lives for minutes and is logged in public. */
  z.strictObject({ mode: z.literal('keyless'), identity: z.string(), issuer: z.url() }),
  z.strictObject({ mode: z.literal('key'), fingerprint: Fingerprint }),
  /** By a key that this machine made for its rehearsals: it says nothing about who made the image. */
  z.strictObject({ mode: z.literal('rehearsal'), fingerprint: Fingerprint }),
  /** Asked for by name: nothing is attached to the image. */
  z.strictObject({ mode: z.literal('none') }),
]);
export type Signing = z.infer<typeof Signing>;

/** Who a release is to be signed by, before its key was looked at. */
export type Signer =
  | Extract<Signing, { mode: 'keyless' | 'none' }>
  | { readonly mode: 'key'; readonly key: string }
  | { readonly mode: 'rehearsal' };

/** Whose signatures count; with `none`, nothing is looked at. */
export type Trust =
  | { readonly by: 'identity'; readonly identity: string; readonly issuer: string }
  | { readonly by: 'key'; readonly key: string }
  | { readonly by: 'rehearsal' }
  | { readonly by: 'none' };

type SigningSettings = Pick<
  Settings,
  'sign' | 'signKey' | 'verifyKey' | 'verifyIdentity' | 'verifyIssuer' | 'workflow' | 'token' | 'publisher'
>;

/**
 * Decides who signs. A rehearsal is signed by its own key unless `THOTH_SIGN` says otherwise: a real identity
 * must not vouch for it. A real release is signed by the key that is named, else by the OIDC token at hand.
 *
 * @throws ReleaseError SIGNER_UNKNOWN where there is neither, and nobody said that it goes out unsigned
 */
export function chooseSigner(settings: SigningSettings, rehearsal: boolean): Signer {
  const { sign, signKey } = settings;
  if (sign === 'none') return { mode: 'none' };
  if (sign === 'auto' && rehearsal) return { mode: 'rehearsal' };
  if (signKey !== undefined && sign !== 'keyless') return { mode: 'key', key: signKey };
  if (sign === 'key') throw noSigner('THOTH_SIGN is "key", and THOTH_SIGN_KEY names none');
  if (!settings.token) {
    throw noSigner(
      sign === 'keyless'
        ? 'THOTH_SIGN is "keyless", and there is no OIDC token'
        : 'there is neither a key nor an OIDC token',
    );
  }
  const identity = settings.verifyIdentity ?? settings.workflow?.identity;
  const issuer = settings.verifyIssuer ?? (settings.workflow === undefined ? undefined : GITHUB_ISSUER);
  if (identity === undefined || issuer === undefined) {
    throw noSigner(
      'outside of GitHub, THOTH_VERIFY_IDENTITY and THOTH_VERIFY_ISSUER must say whose token it is',
    );
  }
  return { mode: 'keyless', identity, issuer };
}

/**
 * Decides whose signatures count when a release is verified: what the settings name; on this machine's
 * rehearsals their own key; else the workflow that publishes the project's releases on GitHub.
 *
 * @param about.source the project's https address, as the project itself says, and never the image
 * @throws ReleaseError SIGNER_UNKNOWN where none of them is known
 */
export function chooseTrust(
  settings: SigningSettings,
  about: { rehearsal: boolean; source: string | undefined; tag: string },
): Trust {
  const { verifyKey, verifyIdentity, verifyIssuer: issuer = GITHUB_ISSUER, sign, signKey } = settings;
  if (verifyKey !== undefined) return { by: 'key', key: verifyKey };
  if (verifyIdentity !== undefined) return { by: 'identity', identity: verifyIdentity, issuer };
  if (sign === 'none') return { by: 'none' };
  if (about.rehearsal && sign === 'auto') return { by: 'rehearsal' };
  if (signKey !== undefined && sign !== 'keyless') return { by: 'key', key: signKey };
  const identity = releaseIdentity(about.source, settings.publisher, about.tag);
  if (identity !== undefined) return { by: 'identity', identity, issuer };
  throw new ReleaseError(
    'SIGNER_UNKNOWN',
    `Nothing says who must have signed ${about.tag}.`,
    'Name the public key in THOTH_VERIFY_KEY, or the signer in THOTH_VERIFY_IDENTITY and THOTH_VERIFY_ISSUER; THOTH_SIGN=none looks at no signature.',
  );
}

/** Who signs, in one line. */
export function describeSigning(signing: Signing): string {
  switch (signing.mode) {
    case 'keyless':
      return `${signing.identity} (${signing.issuer})`;
    case 'key':
      return `the key ${signing.fingerprint}`;
    case 'rehearsal':
      return `A REHEARSAL'S OWN KEY ${signing.fingerprint}, nobody's identity`;
    case 'none':
      return 'NOBODY: it goes out without signatures, SBOM and provenance, as THOTH_SIGN=none asks for';
  }
}

function noSigner(why: string): ReleaseError {
  return new ReleaseError(
    'SIGNER_UNKNOWN',
    `Nobody can sign this release: ${why}.`,
    'On GitHub give the job "id-token: write"; elsewhere name a key in THOTH_SIGN_KEY. THOTH_SIGN=none releases it unsigned.',
  );
}
