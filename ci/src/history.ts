import { type Directory, dag, type File } from '@dagger.io/dagger';
import { compareNotes, listTags, PATHS, writeChangelog, writeNotes } from './command.ts';
import type { Pipeline } from './pipeline.ts';
import { registryAccess, withAccess } from './registry.ts';
import { run, toolbox, uncached } from './toolbox.ts';

/** The tags a release gets, in push order; from the versions released before, by default the git tags. */
export async function tagsOf(
  pipeline: Pipeline,
  tag: string,
  existing: readonly string[],
  channel: string | undefined,
): Promise<string[]> {
  const done = await run('tags', await toolbox(pipeline), listTags(tag, existing, channel));
  return parseTags(await done.stdout());
}

/** Reads the JSON array that `thoth-release tags --json` prints. @throws Error for anything else */
export function parseTags(json: string): string[] {
  const value: unknown = JSON.parse(json);
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'string')) {
    throw new Error(`thoth-release printed no list of tags: ${json.trim()}`);
  }
  return value;
}

/**
 * Release notes; where the release's layout is given, with digests and sizes, and what changed since the release
 * before, as the registry has it.
 */
export async function notesOf(pipeline: Pipeline, tag: string, layout: Directory | undefined): Promise<File> {
  if (layout === undefined) {
    const done = await run('notes', await toolbox(pipeline), writeNotes(tag));
    return dag.file('notes.md', await done.stdout());
  }
  const access = await registryAccess(pipeline);
  const box = uncached(await toolbox(pipeline, ['regctl', 'trivy'])).withMountedDirectory(
    PATHS.layout,
    layout,
  );
  const command = compareNotes(access.target, tag, PATHS.layout, PATHS.notes);
  return (await run('notes', withAccess(box, access), command)).file(PATHS.notes);
}

/** CHANGELOG.md with the release's section in it. */
export async function changelogOf(pipeline: Pipeline, tag: string): Promise<File> {
  const done = await run('changelog', await toolbox(pipeline), writeChangelog(tag, 'CHANGELOG.md'));
  return done.file('CHANGELOG.md');
}
