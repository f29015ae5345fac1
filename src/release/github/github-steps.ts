import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { digestOf } from '../image/digest.ts';
import { type GitHub, lost } from './github.ts';
import {
  Asset,
  describeStep,
  type FoundRelease,
  isSame,
  Release,
  type ReleaseFile,
  type Step,
  type WantedRelease,
} from './github-release.ts';

/** How often a lost answer is looked into. */
const ATTEMPTS = 5;

/** The release of a tag, with its files: the published one, else the oldest draft. */
export async function findRelease(github: GitHub, tag: string): Promise<FoundRelease | undefined> {
  // The list has drafts too, and only who may write sees them.
  const drafts: Release[] = [];
  let release = await github.find(`/releases/tags/${tag}`, Release);
  if (release === undefined) {
    for await (const one of github.list('/releases', Release)) if (one.tag_name === tag) drafts.push(one);
    release = drafts.sort((a, b) => a.id - b.id)[0];
  }
  if (release === undefined) return undefined;
  const assets: Asset[] = [];
  for await (const asset of github.list(`/releases/${release.id}/assets`, Asset)) assets.push(asset);
  return { ...release, assets };
}

/**
 * Does the steps.
 *
 * @returns the address of the release's page
 * @throws ReleaseError GITHUB_* as GitHub fails; a repeated run goes on from there
 */
export async function applySteps(
  github: GitHub,
  wanted: WantedRelease,
  found: FoundRelease | undefined,
  steps: readonly Step[],
  say: (line: string) => void,
): Promise<string | undefined> {
  let release: Release | undefined = found;
  for (const step of steps) {
    if (step.kind === 'create' || release === undefined) release = await create(github, wanted);
    else if (step.kind === 'edit') release = await edit(github, release, fieldsOf(wanted));
    else if (step.kind === 'remove') await github.remove(`/releases/assets/${step.asset.id}`);
    else if (step.kind === 'upload') await upload(github, release, step.file);
    else {
      const latest = { draft: false, make_latest: wanted.latest ? 'true' : 'false' };
      release = await edit(github, release, { ...fieldsOf(wanted), ...latest });
    }
    say(describeStep(step));
  }
  return release?.html_url;
}

/**
 * Makes sure that GitHub has the git tag, on the commit that was released: else publishing would create it, on any.
 *
 * @throws ReleaseError GITHUB_TAG
 */
export async function assertTagThere(github: GitHub, tag: string, commit: string): Promise<void> {
  const Ref = z.object({ object: z.object({ type: z.string(), sha: z.string() }) });
  let there = await github.find(`/git/ref/tags/${tag}`, Ref);
  // An annotated tag is an object of its own.
  if (there?.object.type === 'tag') there = await github.find(`/git/tags/${there.object.sha}`, Ref);
  if (there?.object.sha === commit) return;
  throw new ReleaseError(
    'GITHUB_TAG',
    there === undefined
      ? `${github.repository} on GitHub has no tag ${tag}.`
      : `${github.repository} on GitHub has ${tag} on another commit than the one that was released.`,
    there === undefined
      ? `Push it: \`git push origin ${tag}\`. Then run the same command again.`
      : 'Somebody moved the tag. The image is as planned; find out which commit it was built from before you go on.',
    there === undefined ? [] : [`on GitHub: ${there.object.sha}`, `released:  ${commit}`],
  );
}

const fieldsOf = ({ tag, commit, notes, prerelease }: WantedRelease) => ({
  ...{ tag_name: tag, target_commitish: commit, name: tag, body: notes, prerelease },
});

function edit(github: GitHub, { id }: { id: number }, fields: object): Promise<Release> {
  return github.write('PATCH', `/releases/${id}`, fields, Release);
}

/** Creates the draft; where an answer was lost, one may be there already. */
async function create(github: GitHub, wanted: WantedRelease): Promise<Release> {
  const fields = { ...fieldsOf(wanted), draft: true };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await github.write('POST', '/releases', fields, Release);
    } catch (error) {
      if (!lost(error) || attempt === ATTEMPTS) throw error;
      await github.wait(attempt);
      const found = await findRelease(github, wanted.tag);
      if (found !== undefined) return found;
    }
  }
}

/** Uploads a file. One that was cut off leaves something of that name, which has to go first. */
async function upload(
  github: GitHub,
  { id, upload_url: template }: { id: number; upload_url: string },
  file: ReleaseFile,
): Promise<void> {
  const address = `${template.replace(/\{.*$/, '')}?name=${encodeURIComponent(file.name)}`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const made = await github.upload(address, typeOf(file.name), file.bytes, Asset);
      if (isSame(file, made)) return;
      throw new ReleaseError(
        'GITHUB_FAILED',
        `GitHub holds other bytes of ${file.name} than were sent.`,
        'Run the same command again: it sends them anew.',
        [`sent:  ${digestOf(file.bytes)}`, `there: ${made.digest ?? `${made.size} bytes`}`],
      );
    } catch (error) {
      // 422 is also the answer where another try, or another run, was faster.
      const taken = error instanceof ReleaseError && /already_exists/.test(error.details.join());
      if ((!lost(error) && !taken) || attempt === ATTEMPTS) throw error;
      await github.wait(attempt);
      for await (const asset of github.list(`/releases/${id}/assets`, Asset)) {
        if (asset.name !== file.name) continue;
        if (isSame(file, asset)) return;
        await github.remove(`/releases/assets/${asset.id}`);
      }
    }
  }
}

function typeOf(name: string): string {
  if (name.endsWith('.json')) return 'application/json';
  if (name.endsWith('.tgz')) return 'application/gzip';
  return name.endsWith('.md') ? 'text/markdown; charset=utf-8' : 'text/plain; charset=utf-8';
}
