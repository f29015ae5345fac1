import { ReleaseError } from '../errors.ts';
import { createGitHub, type GitHub } from '../github/github.ts';
import { readRepository } from '../history/git.ts';
import type { Context } from './context.ts';

/**
 * Opens the project's repository on GitHub: the one the settings name, else where its source is.
 *
 * @param reads whether it is only read, which needs no token
 * @throws ReleaseError SETTING_INVALID where the repository or the token is missing
 */
export async function openGitHub({ settings, progress, signal }: Context, reads: boolean): Promise<GitHub> {
  const { githubApi: address, githubToken: token } = settings;
  const repository = settings.githubRepository ?? (await sourceRepository(settings.project));
  if (repository === undefined) {
    throw new ReleaseError(
      'SETTING_INVALID',
      'The repository on GitHub is not known: neither package.json nor the remote origin names one.',
      'Name it as GITHUB_REPOSITORY=owner/name.',
    );
  }
  if (token === undefined && !reads) {
    throw new ReleaseError(
      'SETTING_INVALID',
      `Writing to ${repository} on GitHub needs GITHUB_TOKEN in the environment.`,
      'Set it to a token that may write there; --dry-run needs none.',
    );
  }
  return createGitHub({ address, repository, token }, { signal, warn: progress.warn });
}

/** `owner/name` of an address such as https://github.com/owner/name. */
async function sourceRepository(project: string): Promise<string | undefined> {
  const { url } = await readRepository(project);
  return /^https:\/\/[^/]+\/([^/]+\/[^/]+)$/.exec(url ?? '')?.[1];
}
