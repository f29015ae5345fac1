import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { readConfig } from '../config/read.ts';
import { ReleaseError } from '../errors.ts';
import { type CommandResult, run, tail } from '../machine/command.ts';
import { compareVersions, type Version, versionOrNone } from '../versions/version.ts';
import { sourceUrl } from './source-url.ts';

/** What a release needs to know about the project's git repository. */
export interface Repository {
  /** The commit that is checked out: 40 hex digits, or 64. */
  readonly head: string;
  /** When it was committed, in unix seconds. */
  readonly time: number;
  /** Every version that has a git tag, on any branch, highest first. */
  readonly versions: readonly Version[];
  /** Files that differ from the commit, relative to the project; the first twenty. */
  readonly dirty: readonly string[];
  /** Whether the clone was cut off, so that commits and tags are missing. */
  readonly shallow: boolean;
  /** What the project's file says, else {@link sourceUrl}. */
  readonly url?: string;
}

/** A commit as it was written. */
export interface Commit {
  readonly hash: string;
  readonly message: string;
}

const DIRTY_SHOWN = 20;
/** Over what a user's git config says, and none of it may start a program or change what is read. */
const CONFIG = ['core.fsmonitor=false', 'log.showSignature=false'];

/**
 * Reads the state of a project's repository.
 *
 * @param project the project's root, which must be that of a git repository too: one further up is another
 *   project's
 * @throws ReleaseError GIT_MISSING, GIT_NO_HISTORY, GIT_FAILED
 */
export async function readRepository(project: string): Promise<Repository> {
  const head = await readCommit(project, 'HEAD');
  const [versions, status, shallow, origin, packageJson] = await Promise.all([
    taggedVersions(project),
    git(project, [
      ...['status', '--porcelain=v1', '-z', '--no-renames'],
      ...['--untracked-files=normal', '--ignore-submodules=none'],
    ]),
    git(project, ['rev-parse', '--is-shallow-repository']),
    git(project, ['config', '--get', 'remote.origin.url'], [0, 1]),
    readFile(join(project, 'package.json'), 'utf8').catch(() => undefined),
  ]);
  const url = readConfig(project).source ?? sourceUrl(packageJson, origin.trim());
  return {
    head: head.hash,
    time: head.time,
    versions,
    dirty: entries(status)
      .slice(0, DIRTY_SHOWN)
      .map((entry) => entry.slice('XY '.length)),
    shallow: shallow.trim() === 'true',
    ...(url === undefined ? {} : { url }),
  };
}

/** @throws ReleaseError GIT_DIRTY with the files that differ from the commit */
export function assertClean(repository: Pick<Repository, 'dirty'>): void {
  const { dirty } = repository;
  if (dirty.length === 0) return;
  const some = dirty.length === DIRTY_SHOWN ? ', at least those below' : '';
  throw new ReleaseError(
    'GIT_DIRTY',
    `The work tree differs from the commit${some}, and a release is a commit.`,
    'Commit the files, remove them or have git ignore them, and run it again.',
    dirty,
  );
}

/** @throws ReleaseError GIT_NO_HISTORY for a shallow clone: what is read from its history would be wrong */
export function assertComplete(repository: Pick<Repository, 'shallow'>): void {
  if (!repository.shallow) return;
  throw new ReleaseError(
    'GIT_NO_HISTORY',
    'This is a shallow clone: the commits and tags of earlier releases are not in it.',
    'Run `git fetch --unshallow --tags`; in a GitHub workflow give actions/checkout `fetch-depth: 0`.',
  );
}

/** The commit a tag is on, or `undefined` where there is no such tag. @throws ReleaseError GIT_* */
export async function tagCommit(project: string, tag: string): Promise<string | undefined> {
  const found = await git(project, ['rev-parse', '--verify', '--quiet', `refs/tags/${tag}^{}`], [0, 1]);
  return found.trim() === '' ? undefined : found.trim();
}

/**
 * Makes sure that a version's git tag, where there is one, names the commit that is checked out.
 *
 * @throws ReleaseError VERSION_EXISTS where it is on another one
 */
export async function assertTagAtHead(
  project: string,
  version: Version,
  repository: Pick<Repository, 'head'>,
): Promise<void> {
  const tagged = await tagCommit(project, version.tag);
  if (tagged === undefined || tagged === repository.head) return;
  throw new ReleaseError(
    'VERSION_EXISTS',
    `The git tag ${version.tag} is on another commit than the one checked out.`,
    `To release the tagged commit: \`git checkout ${version.tag}\`. To release this one: choose the next version.`,
    [`${version.tag}: ${tagged}`, `checked out: ${repository.head}`],
  );
}

/**
 * The versions that have a git tag, highest first. A tag counts where it is a version with a leading `v`.
 *
 * @param commit only those whose tag is on it or on an ancestor of it
 */
export async function taggedVersions(project: string, commit?: string): Promise<Version[]> {
  const merged = commit === undefined ? [] : [`--merged=${commit}`];
  const printed = await git(project, ['for-each-ref', ...merged, '--format=%(refname:strip=2)', 'refs/tags']);
  return printed
    .split('\n')
    .filter((tag) => tag.startsWith('v'))
    .map(versionOrNone)
    .filter((version) => version !== undefined)
    .sort((a, b) => compareVersions(b, a));
}

/** The commit behind a hash or `HEAD`, with its time in unix seconds. @throws ReleaseError GIT_* */
export async function readCommit(project: string, commit: string): Promise<{ hash: string; time: number }> {
  const [hash = '', time] = (await git(project, ['log', '-1', '--format=%H %ct', commit, '--'])).split(' ');
  return { hash, time: Number(time) };
}

/** The files that git has in a folder of the project, by their paths in that folder, sorted. @throws ReleaseError GIT_* */
export async function filesIn(project: string, folder: string): Promise<string[]> {
  const printed = await git(project, ['ls-files', '-z', '--', folder]);
  return entries(printed)
    .map((path) => relative(folder, path))
    .sort();
}

/** The commits that `to` has and `from` lacks, newest first, without merges; all where there is no `from`. */
export async function commitsBetween(
  project: string,
  from: string | undefined,
  to: string,
): Promise<Commit[]> {
  const range = from === undefined ? to : `${from}..${to}`;
  const printed = await git(project, [
    ...['log', '-z', '--no-merges', '--encoding=UTF-8', '--format=%H%n%B'],
    ...[range, '--'],
  ]);
  return entries(printed).map((entry) => {
    const end = entry.indexOf('\n');
    return { hash: entry.slice(0, end), message: entry.slice(end + 1) };
  });
}

function entries(printed: string): string[] {
  return printed.split('\0').filter((entry) => entry !== '');
}

/** Runs git in the project and returns what it printed. @param codes exit codes that are no failure */
async function git(
  project: string,
  args: readonly string[],
  codes: readonly number[] = [0],
): Promise<string> {
  const root = await realpath(project).catch(() => {
    throw noRepository(project);
  });
  const config = CONFIG.flatMap((setting) => ['-c', setting]);
  const env = {
    LC_ALL: 'C',
    GIT_OPTIONAL_LOCKS: '0',
    GIT_NO_REPLACE_OBJECTS: '1',
    GIT_CEILING_DIRECTORIES: dirname(root),
  };
  const result = await run('git', ['--no-pager', ...config, ...args], { cwd: root, env }).catch((error) => {
    throw error instanceof ReleaseError && error.code === 'TOOL_MISSING' ? missing() : error;
  });
  if (codes.includes(result.exitCode)) return result.stdout;
  throw failure(root, result);
}

function failure(root: string, result: CommandResult): ReleaseError {
  if (/not a git repository/.test(result.stderr)) return noRepository(root);
  if (/does not have any commits yet|bad revision 'HEAD'/.test(result.stderr)) {
    return new ReleaseError(
      'GIT_NO_HISTORY',
      `The git repository of ${root} has no commit yet.`,
      'Commit the project first: a release is a commit.',
    );
  }
  if (/dubious ownership/.test(result.stderr)) {
    return new ReleaseError(
      'GIT_FAILED',
      `git does not trust ${root}, since its files belong to another user.`,
      `If you trust it, run \`git config --global --add safe.directory '${root}'\`.`,
    );
  }
  return new ReleaseError(
    'GIT_FAILED',
    `git could not read ${root}.`,
    'Read its own words below, and run `git status` there.',
    tail(result, 3),
  );
}

function noRepository(project: string): ReleaseError {
  return new ReleaseError(
    'GIT_NO_HISTORY',
    `${project} is not the root of a git repository.`,
    'Run this in a clone of the project: its version, date and changelog come from git.',
  );
}

function missing(): ReleaseError {
  return new ReleaseError(
    'GIT_MISSING',
    'The program "git" was not found.',
    'Install it, as with `apt-get install git`.',
  );
}
