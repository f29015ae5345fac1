import type { Container } from '@dagger.io/dagger';
import { PATHS } from './command.ts';
import type { Pipeline } from './pipeline.ts';

type Signer = Pick<Pipeline, 'sign' | 'signKey' | 'oidcToken' | 'oidcUrl' | 'workflow'>;

/**
 * Gives a container what a release is signed with: a key, or GitHub's way to a token, and the run of the
 * workflow that the certificate and the provenance name. Which of them counts is decided by thoth-release.
 */
export function withSigner(container: Container, pipeline: Pipeline): Container {
  const { sign, signKey, signPassword, oidcUrl, oidcToken, workflow } = pipeline;
  let box = container.withEnvVariable('THOTH_SIGN', sign);
  for (const { name, value } of workflow.map(parseVariable)) box = box.withEnvVariable(name, value);
  if (signKey !== undefined) {
    box = box.withMountedSecret(PATHS.signKey, signKey).withEnvVariable('THOTH_SIGN_KEY', PATHS.signKey);
  }
  if (signPassword !== undefined) box = box.withSecretVariable('COSIGN_PASSWORD', signPassword);
  if (oidcUrl !== undefined && oidcToken !== undefined) {
    box = box
      .withEnvVariable('ACTIONS_ID_TOKEN_REQUEST_URL', oidcUrl)
      .withSecretVariable('ACTIONS_ID_TOKEN_REQUEST_TOKEN', oidcToken);
  }
  return box;
}

/** Gives a container what says whose signature counts. */
export function withTrust(container: Container, pipeline: Pipeline): Container {
  const { sign, verifyKey, verifyIdentity, verifyIssuer } = pipeline;
  let box = container.withEnvVariable('THOTH_SIGN', sign);
  if (verifyKey !== undefined) {
    box = box
      .withMountedFile(PATHS.verifyKey, verifyKey)
      .withEnvVariable('THOTH_VERIFY_KEY', PATHS.verifyKey);
  }
  if (verifyIdentity !== undefined) box = box.withEnvVariable('THOTH_VERIFY_IDENTITY', verifyIdentity);
  if (verifyIssuer !== undefined) box = box.withEnvVariable('THOTH_VERIFY_ISSUER', verifyIssuer);
  return box;
}

/** Whether nothing says who signs a release. */
export function lacksSigner({ sign, signKey, oidcUrl, oidcToken }: Omit<Signer, 'workflow'>): boolean {
  if (sign === 'none') return false;
  return signKey === undefined && (oidcUrl === undefined || oidcToken === undefined);
}

/** @throws Error naming what to set, where nobody signs or the run is misnamed; nothing has been built by then */
export function assertSigner(pipeline: Signer): void {
  pipeline.workflow.map(parseVariable);
  if (lacksSigner(pipeline)) throw new Error(NOBODY);
}

/** Why a release that nobody signs is refused, and each way to have it signed. */
export const NOBODY = [
  'Nothing was built: a release needs signKey, or oidcUrl and oidcToken, to be signed.',
  'Give a key that `cosign generate-key-pair` made: --sign-key file://cosign.key --sign-password env://COSIGN_PASSWORD',
  'or once in the file .env: THOTH_signKey=file://cosign.key and THOTH_signPassword=env://COSIGN_PASSWORD',
  'or, in a GitHub job with id-token: write, --oidc-url and --oidc-token; --sign none releases it unsigned.',
].join('\n');

/** One of the variables of a workflow's run: they name it, and hold no secret. @throws Error for another */
function parseVariable(text: string): { name: string; value: string } {
  const [, name, value] = /^(GITHUB_[A-Z_]+)=(.*)$/.exec(text.trim()) ?? [];
  if (name === undefined || value === undefined || name.includes('TOKEN')) {
    throw new Error(`"${text.split('=')[0]}" is no variable of a workflow's run such as GITHUB_RUN_ID=1.`);
  }
  return { name, value };
}
