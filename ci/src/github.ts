import type { Container } from '@dagger.io/dagger';
import type { Pipeline } from './pipeline.ts';

/**
 * Gives a container its way to GitHub. Only the command that writes there is given it, never a scanner.
 *
 * @throws Error naming what to set, where there is no token
 */
export function withGitHub(container: Container, pipeline: Pipeline): Container {
  const { githubRepository: repository, githubToken: token } = pipeline;
  if (token === undefined) throw new Error(MISSING);
  const box = container.withSecretVariable('GITHUB_TOKEN', token);
  return repository === undefined ? box : box.withEnvVariable('GITHUB_REPOSITORY', repository);
}

const MISSING = [
  'Writing to GitHub needs githubToken.',
  'Give it as a flag before the function: dagger call --github-token env://GITHUB_TOKEN ...',
].join('\n');
