/** Where GitHub runs its workflows, and who issues their OIDC tokens. */
export const GITHUB_ISSUER = 'https://token.actions.githubusercontent.com';

/** A run of a GitHub workflow. */
export interface WorkflowRun {
  /** The workflow's file at its ref: what Sigstore's certificate names as the signer. */
  readonly identity: string;
  /** The attempt's page. */
  readonly invocation: string;
}

/**
 * The run of a GitHub workflow that this process is part of, by the variables that GitHub sets.
 *
 * @returns `undefined` anywhere else, and where one of them is missing: a half of it says nothing
 */
export function readWorkflow(env: NodeJS.ProcessEnv): WorkflowRun | undefined {
  const server = env.GITHUB_SERVER_URL;
  const { GITHUB_REPOSITORY: repository, GITHUB_WORKFLOW_REF: workflow } = env;
  const { GITHUB_RUN_ID: run, GITHUB_RUN_ATTEMPT: attempt } = env;
  if (env.GITHUB_ACTIONS !== 'true' || !server || !repository || !workflow || !run || !attempt)
    return undefined;
  return {
    identity: `${server}/${workflow}`,
    invocation: `${server}/${repository}/actions/runs/${run}/attempts/${attempt}`,
  };
}

/**
 * Whether this process can get an OIDC token without asking a person: on GitHub where the job has `id-token:
 * write`, or where one is given.
 */
export function hasToken(env: NodeJS.ProcessEnv): boolean {
  const github = env.ACTIONS_ID_TOKEN_REQUEST_URL && env.ACTIONS_ID_TOKEN_REQUEST_TOKEN;
  return Boolean(github || env.SIGSTORE_ID_TOKEN);
}

/**
 * Who signs a release that GitHub publishes.
 *
 * @param source the project's https address; only one on GitHub has such a signer
 * @param publisher the workflow's file
 * @param tag the release's, which started the workflow
 */
export function releaseIdentity(
  source: string | undefined,
  publisher: string,
  tag: string,
): string | undefined {
  if (source?.startsWith('https://github.com/') !== true) return undefined;
  return `${source}/.github/workflows/${publisher}@refs/tags/${tag}`;
}
