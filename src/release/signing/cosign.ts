import { createPublicKey } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReleaseError } from '../errors.ts';
import { sha256 } from '../image/digest.ts';
import { type CommandResult, run, tail } from '../machine/command.ts';
import { readRoot, type Services, type TrustedRoot } from './sigstore.ts';
import { hexOf, readBundle } from './statement.ts';

/** What signs: a key, or whoever the OIDC token at hand names. A key's password is among the secrets, else here. */
export type SignWith = { readonly key: string; readonly password?: string } | 'token';

/** Whose signature counts. `publicKey` is a PEM text. */
export type SignedBy =
  | { readonly publicKey: string }
  | { readonly identity: string; readonly issuer: string };

/** Signs statements and verifies what was signed. It speaks to Sigstore's services and to a KMS, to no registry. */
export interface Cosign {
  /** Signs a statement's text. @returns the Sigstore bundle; @throws ReleaseError SIGN_KEY, SIGN_FAILED */
  sign(statement: string, by: SignWith): Promise<string>;
  /**
   * Verifies a bundle: its signature, and that it says something of `type` about `digest`. One that held is not looked
   * at again by this process: a release asks when it has attached it and when it has read it back.
   *
   * @returns what is wrong, or `undefined`
   * @throws ReleaseError SIGN_FAILED where that can not be told, since Sigstore's own keys can't be had
   */
  verify(bundle: string, about: { digest: string; type: string }, by: SignedBy): Promise<string | undefined>;
  /** The public key of a key's file or address, as PEM. @throws ReleaseError SIGN_KEY */
  publicKey(key: string, password?: string): Promise<string>;
  /** Makes a key pair with an empty password: `cosign.key` and `cosign.pub` in a folder that appears as a whole. */
  makeKey(folder: string): Promise<void>;
}

/** A key needs no service; and cosign would ask for the public ones where none are named. */
const NO_SERVICES = '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}';
const NO_ROOT = '{"mediaType":"application/vnd.dev.sigstore.trustedroot+json;version=0.1"}';

const SECRETS = ['COSIGN_PASSWORD', 'SIGSTORE_ID_TOKEN', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'];

/** The hash of a bundle that held, with all that the answer rests on. */
const held = new Set<string>();

const ANSWER_WITHIN_MS = 180_000;

/** Cosign's words where it is the key that is at fault, and no service. */
const KEY_FAULT = /reading key|loading public key|getting public key|decrypt|unsupported pem|invalid pem/i;
/** Its words where a bundle was not even looked at. */
const NO_TRUST = /trusted material|trusted root|\bTUF\b|loading verifier/i;

/**
 * Binds cosign to a home folder and to Sigstore's services.
 *
 * @param options.home the folder that holds everything this project makes; Sigstore's own keys are kept there
 * @param options.secrets variables that cosign needs and others must not see, as `takeSecrets` gives them
 */
export function createCosign(
  program: string,
  options: Services & {
    home: string;
    secrets?: Readonly<Record<string, string>>;
    signal?: AbortSignal | undefined;
  },
): Cosign {
  const { home, secrets = {}, signal, signingConfig, trustedRoot } = options;
  const call = (args: readonly string[], password?: string) => {
    const own = password === undefined ? {} : { COSIGN_PASSWORD: password };
    // It would ask a terminal for a password that is not there.
    const defaults = { COSIGN_PASSWORD: '', TUF_ROOT: join(home, 'sigstore') };
    const env = { ...withoutSettings(), ...defaults, ...secrets, ...own };
    return run(program, args, { signal, timeout: ANSWER_WITHIN_MS, env });
  };
  return {
    sign: (statement, by) =>
      inFolder(async (folder) => {
        const paths = {
          statement: join(folder, 'statement.json'),
          bundle: join(folder, 'bundle.json'),
          signingConfig: signingConfig ?? (by === 'token' ? undefined : join(folder, 'services.json')),
          trustedRoot: trustedRoot ?? (by === 'token' ? undefined : join(folder, 'root.json')),
        };
        await writeFile(paths.statement, statement);
        await writeFile(join(folder, 'services.json'), NO_SERVICES);
        await writeFile(join(folder, 'root.json'), NO_ROOT);
        const result = await call(signArguments(paths, by), by === 'token' ? undefined : by.password);
        if (result.exitCode !== 0) throw signFailed(result);
        return await readFile(paths.bundle, 'utf8');
      }),
    verify: (bundle, about, by) =>
      inFolder(async (folder) => {
        const question = sha256(JSON.stringify([program, bundle, about, by, trustedRoot]));
        if (held.has(question)) return undefined;
        const paths = { bundle: join(folder, 'bundle.json'), key: join(folder, 'cosign.pub'), trustedRoot };
        await writeFile(paths.bundle, bundle);
        if ('publicKey' in by) await writeFile(paths.key, by.publicKey);
        const root = trustedRoot === undefined ? undefined : await readRoot(trustedRoot);
        const args = [...blobArguments(paths.bundle, about), ...trustArguments(by, paths, root)];
        const result = await call(args);
        if (result.exitCode === 0) {
          held.add(question);
          return undefined;
        }
        const why = lastWords(result);
        if (NO_TRUST.test(why)) throw noTrust(result);
        return otherKey(bundle, by) ?? why;
      }),
    async publicKey(key, password) {
      const result = await call(['public-key', '--key', key], password);
      if (result.exitCode !== 0) throw keyFailed(result);
      return result.stdout;
    },
    async makeKey(folder) {
      const partial = `${folder}.${process.pid}`;
      await mkdir(partial, { recursive: true, mode: 0o700 });
      try {
        const args = ['generate-key-pair', '--output-key-prefix', join(partial, 'cosign')];
        const result = await call(args, '');
        if (result.exitCode !== 0) throw keyFailed(result);
        await rename(partial, folder).catch((error: NodeJS.ErrnoException) => {
          // Another process was first: its key is as good.
          if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error;
        });
      } finally {
        await rm(partial, { recursive: true, force: true });
      }
    },
  };
}

/** The SHA-256 of a public key (DER, SPKI), in hex: what cosign calls it by, too. @throws ReleaseError SIGN_KEY */
export function fingerprint(pem: string): string {
  try {
    const der = createPublicKey(pem).export({ type: 'spki', format: 'der' });
    return sha256(der);
  } catch (cause) {
    throw new ReleaseError('SIGN_KEY', 'What should be a public key is none.', 'Name a PEM file.', [], cause);
  }
}

/**
 * Signs a statement of ours. `cosign attest` would write in-toto's older Statement v0.1 with a subject of its own, and
 * send it to the registry by itself.
 */
export function signArguments(
  paths: { statement: string; bundle: string } & Services,
  by: SignWith,
): string[] {
  return [
    ...['attest-blob', '--statement', paths.statement, '--bundle', paths.bundle, '--yes'],
    ...(by === 'token' ? [] : ['--key', by.key]),
    ...(paths.signingConfig === undefined ? [] : ['--signing-config', paths.signingConfig]),
    ...(paths.trustedRoot === undefined ? [] : ['--trusted-root', paths.trustedRoot]),
  ];
}

function blobArguments(bundle: string, about: { digest: string; type: string }): string[] {
  const digest = ['--digest', hexOf(about.digest), '--digestAlg', 'sha256'];
  return ['verify-blob-attestation', '--bundle', bundle, ...digest, '--type', about.type];
}

/**
 * Whose signature counts, and what must prove when it was made: everything that the trusted root names. Without one,
 * a key needs no proof, and an identity needs all that Sigstore's public services give.
 *
 * @param paths.key where the public key is
 */
export function trustArguments(
  by: SignedBy,
  paths: { key: string; trustedRoot?: string | undefined },
  root: TrustedRoot | undefined,
): string[] {
  const who =
    'publicKey' in by
      ? ['--key', paths.key]
      : ['--certificate-identity', by.identity, '--certificate-oidc-issuer', by.issuer];
  if (root === undefined || paths.trustedRoot === undefined)
    return 'publicKey' in by ? [...who, '--insecure-ignore-tlog'] : who;
  const logged = root.tlogs.length > 0;
  return [
    ...[...who, '--trusted-root', paths.trustedRoot],
    ...(logged ? [] : ['--insecure-ignore-tlog']),
    ...(logged || root.timestampAuthorities.length === 0 ? [] : ['--use-signed-timestamps']),
    ...('publicKey' in by || root.ctlogs.length > 0 ? [] : ['--insecure-ignore-sct']),
  ];
}

/**
 * Takes the variables that are for cosign alone out of `env`: a scanner or an engine that is started has no use for
 * them, and whoever holds them signs in this project's name.
 *
 * @param keys those in the settings; `env://NAME` is a variable that holds the key itself
 */
export function takeSecrets(
  env: NodeJS.ProcessEnv,
  keys: readonly (string | undefined)[],
): Record<string, string> {
  const named = keys.flatMap((key) => /^env:\/\/(.+)/.exec(key ?? '')?.[1] ?? []);
  const secrets: Record<string, string> = {};
  for (const name of [...SECRETS, ...named]) {
    const value = env[name];
    if (value === undefined) continue;
    secrets[name] = value;
    delete env[name];
  }
  return secrets;
}

/** Cosign takes a flag from each variable COSIGN_*, and keys of its own from SIGSTORE_* and TUF_*: none has a say. */
function withoutSettings(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) => /^(?:COSIGN|SIGSTORE|TUF)_/.test(name));
  return Object.fromEntries(names.map((name) => [name, '']));
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'thoth-sign-'));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A bundle says which key it was signed with, and that says more than that the signature does not fit. */
function otherKey(bundle: string, by: SignedBy): string | undefined {
  const hint = readBundle(bundle)?.keyHint;
  if (!('publicKey' in by) || hint === undefined || hint === fingerprint(by.publicKey)) return undefined;
  return `it is signed with another key, ${hint}`;
}

function lastWords(result: CommandResult): string {
  const line = tail(result, 1)[0] ?? '';
  return line
    .replace(/^(?:Error|error during command execution): /, '')
    .replace(/^failed to verify signature: /, '');
}

function signFailed(result: CommandResult): ReleaseError {
  const why = lastWords(result);
  if (KEY_FAULT.test(why)) return keyFailed(result);
  return new ReleaseError(
    'SIGN_FAILED',
    'cosign could not sign.',
    'No tag was moved. Read its line below; run the same command again: it goes on from where it stopped.',
    [why],
  );
}

function keyFailed(result: CommandResult): ReleaseError {
  return new ReleaseError(
    'SIGN_KEY',
    'The key can not be used.',
    'Name a key that cosign made, and put its password into COSIGN_PASSWORD; or log in to the KMS that holds it.',
    [lastWords(result)],
  );
}

function noTrust(result: CommandResult): ReleaseError {
  return new ReleaseError(
    'SIGN_FAILED',
    'No signature could be looked at: the keys of Sigstore can not be had.',
    'Check the network and a proxy; or name a file that holds them in THOTH_TRUSTED_ROOT.',
    [lastWords(result)],
  );
}
