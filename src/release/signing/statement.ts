import { z } from 'zod';

/** In-toto attestation framework, Statement v1. */
const STATEMENT_TYPE = 'https://in-toto.io/Statement/v1';

/** Media type of a Sigstore bundle: what it is attached as, and what cosign looks for. */
export const BUNDLE_TYPE = 'application/vnd.dev.sigstore.bundle.v0.3+json';
const BUNDLE_TYPES = 'application/vnd.dev.sigstore.bundle';

/** What is said of an image, by the predicate types under which others look for it. */
export const PREDICATE = {
  /** cosign's own: that the image is signed, and no more. */
  signature: 'https://sigstore.dev/cosign/sign/v1',
  provenance: 'https://slsa.dev/provenance/v1',
  cyclonedx: 'https://cyclonedx.org/bom',
  spdx: 'https://spdx.dev/Document',
} as const;

const DigestSet = z.record(z.string(), z.string());

/** A claim about the subjects, as it is signed. */
export const Statement = z.object({
  _type: z.literal(STATEMENT_TYPE),
  subject: z.array(z.object({ name: z.string().optional(), digest: DigestSet })).min(1),
  predicateType: z.string(),
  predicate: z.unknown(),
});
export type Statement = z.infer<typeof Statement>;

/** A Sigstore bundle, as far as it is read here; cosign reads and judges the rest. */
const Bundle = z.object({
  mediaType: z.string().startsWith(BUNDLE_TYPES),
  verificationMaterial: z.object({ publicKey: z.object({ hint: z.string() }).optional() }),
  dsseEnvelope: z.object({ payload: z.base64() }),
});

/** What a bundle says. Nothing of it is to be believed before its signature is verified. */
export interface Claim {
  readonly statement: Statement;
  /** SHA-256 of the public key that it says it is signed with, in hex; a certificate's has none. */
  readonly keyHint: string | undefined;
}

/**
 * A statement about images.
 *
 * @param digests `sha256:…`; each is a subject
 * @param name what they are called, for people
 */
export function statementOn(
  digests: readonly string[],
  predicateType: string,
  predicate: unknown,
  name?: string,
): Statement {
  const subject = digests.map((digest) => ({
    ...(name === undefined ? {} : { name }),
    digest: { sha256: hexOf(digest) },
  }));
  return { _type: STATEMENT_TYPE, subject, predicateType, predicate };
}

/** Whether an artifact may be a Sigstore bundle, by its type. */
export function isBundleType(artifactType: string | undefined): boolean {
  return artifactType?.startsWith(BUNDLE_TYPES) ?? false;
}

/** Reads a bundle's text; `undefined` where it is none, or holds no statement. */
export function readBundle(text: string): Claim | undefined {
  const bundle = Bundle.safeParse(jsonOf(text)).data;
  if (bundle === undefined) return undefined;
  const payload = Buffer.from(bundle.dsseEnvelope.payload, 'base64').toString('utf8');
  const statement = Statement.safeParse(jsonOf(payload)).data;
  const hint = bundle.verificationMaterial.publicKey?.hint;
  const keyHint = hint === undefined ? undefined : Buffer.from(hint, 'base64').toString('hex');
  return statement === undefined ? undefined : { statement, keyHint };
}

/** The digests a statement is about, as `sha256:…`. */
export function subjectsOf(statement: Statement): string[] {
  return statement.subject.flatMap(({ digest }) =>
    digest.sha256 === undefined ? [] : `sha256:${digest.sha256}`,
  );
}

/** A digest without its algorithm. */
export function hexOf(digest: string): string {
  return digest.slice(digest.indexOf(':') + 1);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
