import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import type { GitHub } from '../github/github.ts';
import { type IssueChange, syncIssue } from '../github/github-issue.ts';
import { followedTags, issueOf, Rescan, type RescannedImage } from '../github/rescan.ts';
import { writeWhole } from '../machine/file.ts';
import { download } from '../publish/publish.ts';
import { versionAt } from '../publish/rollback.ts';
import { connect } from '../publish/target.ts';
import type { Registry } from '../registry/registry.ts';
import { describeFinding } from '../scan/finding.ts';
import { assertChecked, describeScan, gate } from '../scan/gate.ts';
import { readIgnored } from '../scan/ignored.ts';
import { scanLayout } from '../scan/scan.ts';
import { openScanners, openTrivy } from '../scan/scanner/choose.ts';
import type { CommandModule, Context } from './context.ts';
import { openGitHub } from './open-github.ts';
import { readRecord } from './record.ts';

const Flags = z.object({
  tags: z.string().optional(),
  output: z.string().optional(),
  from: z.string().optional(),
  issue: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});
/** What the issue is known by. */
const SUBJECT = 'rescan of released images';

/** `rescan`: scans what is in the registry with the vulnerabilities known today; with `--issue` tells GitHub. */
export const rescan: CommandModule = {
  async run(context, _, flags) {
    const { tags, output, from, issue, dryRun } = Flags.parse(flags);
    // Asked for first: a scan of minutes is not to end in a missing token.
    const github = issue ? await openGitHub(context, dryRun) : undefined;
    const found = from === undefined ? await scanReleased(context, tags?.split(',')) : await readRescan(from);
    if (output !== undefined) await writeWhole(output, `${JSON.stringify(found, null, 2)}\n`);
    // An issue is neither opened nor closed over what was not looked at.
    for (const { report } of found.images) assertChecked(report);
    const change =
      github === undefined ? undefined : await syncIssue(github, SUBJECT, issueOf(found), { dryRun });
    const lines = found.images.flatMap((image) => [
      `${image.version} (${image.tags.join(', ')}): ${describeScan(image.report)}`,
      ...gate(image.report).map((finding) => `  ${describeFinding(finding)}`),
    ]);
    const told = github === undefined || change === undefined ? [] : [describeChange(github, change, dryRun)];
    context.print([...lines, ...told].join('\n'), { ...found, issue: change, dryRun });
  },
};

async function readRescan(path: string): Promise<Rescan> {
  const found = await readRecord(path, Rescan);
  if (found !== undefined) return found;
  throw new ReleaseError('USAGE', `There is no ${path}.`, 'Make it with `thoth-release rescan --output`.');
}

async function scanReleased(context: Context, tags: readonly string[] | undefined): Promise<Rescan> {
  const target = await connect(context.settings, context.signal);
  try {
    const { registry } = target;
    const images = await scanTags(context, registry, tags ?? followedTags(await registry.tags()));
    return { repository: registry.name, images };
  } finally {
    await target.close();
  }
}

/** Downloads and scans each image that one of the tags points to. */
async function scanTags(
  context: Context,
  registry: Registry,
  tags: readonly string[],
): Promise<RescannedImage[]> {
  const { settings, progress, signal } = context;
  const digests = new Map<string, string[]>();
  for (const tag of tags) {
    const digest = await registry.digestOf(tag);
    if (digest !== undefined) digests.set(digest, [...(digests.get(digest) ?? []), tag]);
  }
  if (digests.size === 0) {
    throw new ReleaseError(
      'VERIFY_FAILED',
      `${registry.name} has none of the tags that are scanned again: ${tags.join(', ') || 'latest, v1, v2, ...'}.`,
      'Check the registry and the repository, or name the tags with --tags.',
    );
  }
  const scanners = await openScanners(settings, await openTrivy(settings, signal));
  const exceptions = await readIgnored(settings.project, new Date());
  await mkdir(join(settings.home, 'scratch'), { recursive: true });
  const scratch = await mkdtemp(join(settings.home, 'scratch', 'rescan-'));
  try {
    const images: RescannedImage[] = [];
    for (const [digest, names] of digests) {
      const version = (await versionAt(registry, names[0] ?? ''))?.tag ?? digest;
      const report = await progress.stage(`scan of ${version}`, async (say) => {
        say('downloading it');
        const layout = await download(registry, digest, scratch);
        const { severity, licenses } = settings;
        const options = { severity, licenses, output: join(scratch, digest), exceptions, say };
        return scanLayout(await scanners(say), layout, options);
      });
      images.push({ version, tags: names, digest, report });
    }
    return images;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function describeChange(github: GitHub, { done, number }: IssueChange, dryRun: boolean): string {
  const where = number === undefined ? 'an issue' : `${github.page}/issues/${number}`;
  if (done === 'nothing')
    return number === undefined ? 'there is no issue to write' : `${where} says so already`;
  return dryRun ? `${where} would be ${done}; nothing was written` : `${where} was ${done}`;
}
