/** What somebody else needs to know to verify a release with nothing but cosign. */
interface Consumer {
  /** `docker.io/marcopancotti/thoth` */
  readonly name: string;
  readonly index: string;
  readonly platforms: readonly { digest: string }[];
  /** The Helm chart that goes with it: `docker.io/marcopancotti/thoth-chart@sha256:…`. */
  readonly chart?: string | undefined;
  /** Whose signature counts, as `trustArguments` says it. */
  readonly trust: readonly string[];
  /** How the registry is spoken to, where that is not the usual way. */
  readonly registry: readonly string[];
}

/** Cosign's own names for the forms of an SBOM. */
const SBOM_TYPES = ['cyclonedx', 'spdxjson'];

/**
 * The command lines that verify a release from its registry with stock cosign (v3): signatures, provenance, SBOMs.
 *
 * `cosign verify` takes any attestation by the signer for a signature; `thoth-release verify` does not.
 */
export function consumerCommands({ name, index, platforms, chart, trust, registry }: Consumer): string[] {
  const flags = [...trust, ...registry];
  const digests = [index, ...platforms.map(({ digest }) => digest)];
  const attestation = (type: string, digest: string) =>
    line('verify-attestation', '--type', type, ...flags, `${name}@${digest}`);
  return [
    ...digests.map((digest) => line('verify', ...flags, `${name}@${digest}`)),
    attestation('slsaprovenance1', index),
    ...(chart === undefined ? [] : [line('verify', ...flags, chart)]),
    ...platforms.flatMap(({ digest }) => SBOM_TYPES.map((type) => attestation(type, digest))),
  ];
}

function line(...args: readonly string[]): string {
  return ['cosign', ...args].map(quoted).join(' ');
}

function quoted(arg: string): string {
  return /^[\w@%+=:,./-]+$/.test(arg) ? arg : `'${arg.replaceAll("'", `'\\''`)}'`;
}
