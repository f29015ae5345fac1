import { basename } from 'node:path';
import { z } from 'zod';
import { readChart } from '../chart/chart-layout.ts';
import { ReleaseError } from '../errors.ts';
import {
  describeStep,
  NOTES_LIMIT,
  type ReleaseFile,
  stepsTo,
  type WantedRelease,
} from '../github/github-release.ts';
import { applySteps, assertTagThere, findRelease } from '../github/github-steps.ts';
import { sha256 } from '../image/digest.ts';
import { readIfThere } from '../machine/file.ts';
import { cutNotes } from '../notes/notes.ts';
import { currentTags } from '../publish/current-tags.ts';
import { findPlan, type ReleaseFolder, releaseFolder } from '../publish/folder.ts';
import { type CurrentTags, formatPlan, type Plan } from '../publish/plan.ts';
import { openTarget } from '../publish/target.ts';
import { sbomFiles } from '../scan/sbom.ts';
import { parseVersion, type Version } from '../versions/version.ts';
import type { CommandModule, Context } from './context.ts';
import { openGitHub } from './open-github.ts';

const Flags = z.object({
  tag: z.string(),
  plan: z.string().optional(),
  notes: z.string().optional(),
  draft: z.boolean().default(false),
  replaceNotes: z.boolean().default(false),
  dryRun: z.boolean().default(false),
});

/** `github-release --tag VERSION`: the release on GitHub, with notes, SBOMs, plan and checksums. */
export const githubRelease: CommandModule = {
  async run(context, _, flags) {
    const options = Flags.parse(flags);
    const { settings, progress, print } = context;
    const version = parseVersion(options.tag);
    const folder = releaseFolder(settings.home, version);
    const plan = await readPlan(options.plan ?? folder.plan, version, options.dryRun);
    const github = await openGitHub(context, options.dryRun);
    const rest = `${github.page}/releases/download/${version.tag}/notes.md`;
    const wanted: WantedRelease = {
      tag: version.tag,
      commit: plan.made.source.revision,
      prerelease: version.prerelease.length > 0,
      latest: false,
      ...(await readContent(plan, folder, options.notes ?? folder.notes, rest)),
    };
    const done = await progress.stage('GitHub release', async (say) => {
      const found = await findRelease(github, wanted.tag);
      const steps = stepsTo(wanted, found, { publish: !options.draft, replaceNotes: options.replaceNotes });
      const publishes = steps.some((step) => step.kind === 'publish');
      const result = { steps: steps.map(describeStep), draft: (found?.draft ?? true) && !publishes };
      if (options.dryRun) return { ...result, url: found?.html_url };
      const latest = publishes && (await assertMoved(context, version, plan));
      if (publishes) await assertTagThere(github, wanted.tag, wanted.commit);
      return { ...result, url: await applySteps(github, { ...wanted, latest }, found, steps, say) };
    });
    const asIs = `${wanted.tag} on GitHub was as it should be, nothing was written`;
    const end = options.dryRun
      ? 'dry run: nothing was written'
      : `${done.url} (${done.draft ? 'a draft' : 'published'})`;
    const lines = done.steps.length === 0 ? [asIs] : done.steps;
    print([...lines, end].join('\n'), { version: wanted.tag, dryRun: options.dryRun, ...done });
  },
};

type PublishedPlan = Plan & { readonly made: NonNullable<Plan['made']> };

async function readPlan(path: string, version: Version, dryRun: boolean): Promise<PublishedPlan> {
  const plan = (await findPlan(path))?.plan;
  const fault =
    plan === undefined
      ? 'it is not there'
      : plan.version !== version.tag
        ? `it is for ${plan.version}`
        : plan.rehearsal && !dryRun
          ? "it is a rehearsal's, and what was rehearsed is not out"
          : plan.made === undefined
            ? `it is a ${plan.action}'s`
            : undefined;
  if (fault === undefined) return plan as PublishedPlan;
  throw new ReleaseError(
    'PLAN_INVALID',
    `${path} can not be released on GitHub as ${version.tag}: ${fault}.`,
    'Plan the release with `thoth-release plan`, or name its plan with --plan.',
  );
}

/** The notes and the files, as the stages before left them in the release's folder. */
async function readContent(
  plan: PublishedPlan,
  folder: ReleaseFolder,
  notesPath: string,
  rest: string,
): Promise<Pick<WantedRelease, 'notes' | 'files'>> {
  const whole = await readStage(
    notesPath,
    `notes ${plan.version} --layout ${folder.layout} --output ${notesPath}`,
  );
  const notes = cutNotes(whole.toString(), NOTES_LIMIT, rest);
  const files: ReleaseFile[] = [
    { name: 'plan.json', bytes: Buffer.from(formatPlan(plan)), record: true },
    ...(notes === whole.toString() ? [] : [{ name: 'notes.md', bytes: whole, record: true }]),
  ];
  const makeSboms = `sbom --layout ${folder.layout} --output ${folder.sbom}`;
  for (const { platform, digest } of plan.made.platforms) {
    for (const path of Object.values(sbomFiles(folder.sbom, platform))) {
      const bytes = await readStage(path, makeSboms);
      if (!bytes.includes(digest)) {
        throw new ReleaseError(
          'PLAN_INVALID',
          `${path} is the SBOM of another image than ${digest}.`,
          `Run \`thoth-release ${makeSboms}\` again.`,
        );
      }
      files.push({ name: basename(path), bytes });
    }
  }
  return { notes, files: [...files, ...(await kubernetesFiles(plan, folder))] };
}

/** The Helm chart, for those who carry it into a network of their own, and the plain manifests. */
async function kubernetesFiles(plan: PublishedPlan, folder: ReleaseFolder): Promise<ReleaseFile[]> {
  const again = `plan --tag ${plan.version}`;
  const files: ReleaseFile[] = [];
  if (plan.chart !== undefined) {
    const { metadata, archive, digest } = await readChart(folder.chart);
    if (digest !== plan.chart.move.to) throw notPlanned(folder.chart, again);
    files.push({ name: `${metadata.name}-${metadata.version}.tgz`, bytes: archive });
  }
  if (plan.manifests !== undefined) {
    const bytes = await readStage(folder.manifests, again);
    if (sha256(bytes) !== plan.manifests) throw notPlanned(folder.manifests, again);
    files.push({ name: basename(folder.manifests), bytes });
  }
  return files;
}

function notPlanned(path: string, command: string): ReleaseError {
  return new ReleaseError(
    'PLAN_INVALID',
    `${path} is not what was planned.`,
    `Run \`thoth-release ${command}\` again.`,
  );
}

async function readStage(path: string, command: string): Promise<Buffer> {
  const bytes = await readIfThere(path);
  if (bytes !== undefined) return bytes;
  throw new ReleaseError(
    'PLAN_INVALID',
    `There is no ${path}.`,
    `Make it with \`thoth-release ${command}\`.`,
  );
}

/**
 * Makes sure that the release is out before GitHub says so.
 *
 * @returns whether `latest` is this release
 * @throws ReleaseError GITHUB_EARLY naming each tag that did not move yet
 */
async function assertMoved({ settings, signal }: Context, version: Version, plan: Plan): Promise<boolean> {
  const target = await openTarget(settings, version, signal);
  try {
    const current = await currentTags(target.registry, plan.moves);
    const waiting = stillWaiting(plan, current);
    if (waiting.length === 0) return current.get('latest') === plan.index;
    throw new ReleaseError(
      'GITHUB_EARLY',
      `${version.tag} is not out yet: ${waiting.join(', ')} did not move in ${target.registry.name}.`,
      'Publish it first; --draft makes the draft before that.',
    );
  } finally {
    await target.close();
  }
}

/** A range tag may have gone further by now, with a newer release; the exact one must be there. */
function stillWaiting(plan: Plan, current: CurrentTags): string[] {
  const waits = ({ tag, from, to }: Plan['moves'][number]) => {
    const now = current.get(tag) ?? null;
    return now !== to && (tag === plan.version || now === from);
  };
  return plan.moves.filter(waits).map((move) => move.tag);
}
