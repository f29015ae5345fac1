import { type Directory, dag, type File } from '@dagger.io/dagger';
import { listTags, PATHS, writeChangelog, writeNotes } from './command.ts';
import type { Pipeline } from './pipeline.ts';
import { run, toolbox } from './toolbox.ts';

/** The tags a release gets, in push order; from the versions released before, by default the git tags. */
export async function tagsOf(
  pipeline: Pipeline,
  tag: string,
  existing: readonly string[],
  channel: string | undefined,
): Promise<string[]> {
  const done = await run('tags', toolbox(pipeline), listTags(tag, existing, channel));
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

/** Release notes, with digests and sizes where the release's layout is given. */
export async function notesOf(pipeline: Pipeline, tag: string, layout: Directory | undefined): Promise<File> {
  const box =
    layout === undefined
      ? toolbox(pipeline)
      : toolbox(pipeline, ['regctl']).withMountedDirectory(PATHS.layout, layout);
  const done = await run('notes', box, writeNotes(tag, layout === undefined ? undefined : PATHS.layout));
  return dag.file('notes.md', await done.stdout());
}

/** CHANGELOG.md with the release's section in it. */
export async function changelogOf(pipeline: Pipeline, tag: string): Promise<File> {
  const done = await run('changelog', toolbox(pipeline), writeChangelog(tag, 'CHANGELOG.md'));
  return done.file('CHANGELOG.md');
}
