import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseError } from '../errors.ts';
import { writeWhole } from '../machine/file.ts';
import { requireTool } from '../machine/tools.ts';
import type { Notary, Verifier } from '../publish/attest.ts';
import {
  type Cosign,
  createCosign,
  fingerprint,
  type SignedBy,
  type SignWith,
  trustArguments,
} from '../signing/cosign.ts';
import { chooseSigner, type Signing, type Trust } from '../signing/signing.ts';
import { assertServices, readRoot } from '../signing/sigstore.ts';
import type { Context } from './context.ts';

type Asked = Pick<Context, 'settings' | 'secrets' | 'signal'>;

/** What cosign calls the public half of a key. */
const PUBLIC = 'cosign.pub';

/**
 * Who signs a release, for its plan: by the settings, and the public key of the key they name.
 *
 * @throws ReleaseError SIGNER_UNKNOWN, SIGN_KEY, TOOL_MISSING
 */
export async function planSigning(context: Asked, rehearsal: boolean): Promise<Signing> {
  const signer = chooseSigner(context.settings, rehearsal);
  if (signer.mode === 'none' || signer.mode === 'keyless') return signer;
  const cosign = await openCosign(context);
  if (signer.mode === 'key')
    return { mode: 'key', fingerprint: fingerprint(await cosign.publicKey(signer.key)) };
  const key = await rehearsalKey(context, cosign);
  return { mode: 'rehearsal', fingerprint: fingerprint(key.publicKey) };
}

/**
 * Who signs as a plan says; `undefined` where nobody does.
 *
 * @throws ReleaseError SIGNER_UNKNOWN where there is no token for it; SIGN_KEY where the key at hand is not the one
 *   that was planned
 */
export async function openNotary(context: Asked, signing: Signing): Promise<Notary | undefined> {
  if (signing.mode === 'none') return undefined;
  const cosign = await openCosign(context);
  const notary = (by: SignWith, signedBy: SignedBy): Notary => ({
    sign: (statement) => cosign.sign(statement, by),
    verify: (bundle, about) => cosign.verify(bundle, about, signedBy),
  });
  if (signing.mode === 'keyless') {
    if (!context.settings.token) throw noToken(signing.identity);
    return notary('token', signing);
  }
  const key =
    signing.mode === 'rehearsal' ? await rehearsalKey(context, cosign) : await namedKey(context, cosign);
  if (fingerprint(key.publicKey) !== signing.fingerprint) {
    throw otherKey(`the plan names ${signing.fingerprint}, and this one is ${fingerprint(key.publicKey)}`);
  }
  return notary(key.by, { publicKey: key.publicKey });
}

/** Who verifies, and how somebody else says the same to cosign. */
export interface OpenVerifier extends Verifier {
  readonly trust: readonly string[];
}

/**
 * Who verifies by the signatures that count; `undefined` where none is to be looked at.
 *
 * @throws ReleaseError SIGN_KEY, SETTING_INVALID, TOOL_MISSING
 */
export async function openVerifier(context: Asked, trust: Trust): Promise<OpenVerifier | undefined> {
  if (trust.by === 'none') return undefined;
  const cosign = await openCosign(context);
  const { trustedRoot } = context.settings;
  const root = trustedRoot === undefined ? undefined : await readRoot(trustedRoot);
  const { signedBy, key } =
    trust.by === 'identity' ? { signedBy: trust, key: '' } : await publicKeyOf(context, cosign, trust);
  return {
    trust: trustArguments(signedBy, { key, trustedRoot }, root),
    verify: (bundle, about) => cosign.verify(bundle, about, signedBy),
  };
}

/** @returns with `key`, where cosign finds the public key */
async function publicKeyOf(
  context: Asked,
  cosign: Cosign,
  trust: Extract<Trust, { by: 'key' | 'rehearsal' }>,
): Promise<{ signedBy: { publicKey: string }; key: string }> {
  if (trust.by === 'rehearsal') {
    const { publicKey, folder } = await rehearsalKey(context, cosign);
    return { signedBy: { publicKey }, key: join(folder, PUBLIC) };
  }
  // A folder, an address: cosign says what is wrong with it, if anything.
  const text = await readFile(trust.key, 'utf8').catch(() => '');
  if (text.includes('BEGIN PUBLIC KEY')) return { signedBy: { publicKey: text }, key: trust.key };
  const publicKey = await cosign.publicKey(trust.key);
  const key = join(context.settings.home, PUBLIC);
  await writeWhole(key, publicKey);
  return { signedBy: { publicKey }, key };
}

async function namedKey({ settings }: Asked, cosign: Cosign): Promise<{ by: SignWith; publicKey: string }> {
  const { signKey } = settings;
  if (signKey === undefined) throw otherKey('THOTH_SIGN_KEY names none');
  return { by: { key: signKey }, publicKey: await cosign.publicKey(signKey) };
}

/** The key of this home's rehearsals, made at the first. It is nobody's identity, and nobody else trusts it. */
async function rehearsalKey(
  { settings }: Asked,
  cosign: Cosign,
): Promise<{ by: SignWith; publicKey: string; folder: string }> {
  const folder = join(settings.home, 'rehearsal-key');
  if (!existsSync(folder)) await cosign.makeKey(folder);
  const publicKey = await readFile(join(folder, PUBLIC), 'utf8');
  // Without a password: whoever can read the file could read that, too.
  return { by: { key: join(folder, 'cosign.key'), password: '' }, publicKey, folder };
}

async function openCosign({ settings, secrets, signal }: Asked): Promise<Cosign> {
  const { home, signingConfig, trustedRoot } = settings;
  await assertServices({ signingConfig, trustedRoot });
  return createCosign(await requireTool('cosign', home), {
    home,
    secrets,
    signingConfig,
    trustedRoot,
    signal,
  });
}

function noToken(identity: string): ReleaseError {
  return new ReleaseError(
    'SIGNER_UNKNOWN',
    `The plan is to be signed by ${identity}, and there is no OIDC token here.`,
    'Nothing was pushed. Publish it where it was planned; on GitHub the job needs "id-token: write".',
  );
}

function otherKey(why: string): ReleaseError {
  return new ReleaseError(
    'SIGN_KEY',
    `The key is not the one that was planned: ${why}.`,
    'Nothing was pushed. Name the key of the plan in THOTH_SIGN_KEY, or plan the release again.',
  );
}
