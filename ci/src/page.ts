import type { Container } from '@dagger.io/dagger';
import { releaseOnGitHub, type Target, updateHubPage } from './command.ts';
import { withGitHub } from './github.ts';
import type { Pipeline } from './pipeline.ts';
import { run, uncached } from './toolbox.ts';

/**
 * Makes the release on GitHub as a draft, before a tag moves. Without a token nothing is done.
 *
 * @param box with the release's folder in it
 */
export async function draft(pipeline: Pipeline, box: Container, target: Target, tag: string): Promise<void> {
  if (pipeline.githubToken === undefined) return;
  await run(
    'github-release --draft',
    uncached(withGitHub(box, pipeline)),
    releaseOnGitHub(target, tag, true),
  );
}

/**
 * Tells of a release that is out: publishes it on GitHub, and brings the page on Docker Hub up to date. What there
 * is no token for is left out.
 *
 * @returns what was printed, a part for each
 */
export async function announce(
  pipeline: Pipeline,
  box: Container,
  target: Target,
  tag: string,
): Promise<string[]> {
  const { githubToken, hubToken, registryUser } = pipeline;
  const told: string[] = [];
  if (githubToken !== undefined) {
    const command = releaseOnGitHub(target, tag, false);
    told.push(await (await run('github-release', withGitHub(box, pipeline), command)).stdout());
  }
  if (hubToken !== undefined && registryUser !== undefined) {
    const editor = box
      .withEnvVariable('DOCKERHUB_USERNAME', registryUser)
      .withSecretVariable('DOCKERHUB_TOKEN', hubToken);
    told.push(await (await run('docker-hub', editor, updateHubPage(target, tag))).stdout());
  }
  return told;
}
