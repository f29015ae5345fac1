import { mkdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { type Layout, readLayout } from '../image/layout.ts';
import { takeLock } from '../machine/lock.ts';
import { isLoopback } from '../machine/loopback.ts';
import { plannedAttachments } from '../publish/attachments.ts';
import type { ChartRelease } from '../publish/chart-release.ts';
import { findPlan, releaseFolder } from '../publish/folder.ts';
import { openJournal } from '../publish/journal.ts';
import { describePlan, formatPlan, type Plan } from '../publish/plan.ts';
import { type Applied, type Attestation, applyPlan } from '../publish/publish.ts';
import { openTarget, type Target } from '../publish/target.ts';
import { parseVersion } from '../versions/version.ts';
import type { CommandModule, Context } from './context.ts';
import { openNotary } from './notary.ts';
import { type MadePlan, makePlan, writePlan } from './plan.ts';

const Flags = z.object({
  tag: z.string(),
  layout: z.string().optional(),
  plan: z.string().optional(),
  evidence: z.string().optional(),
  sbom: z.string().optional(),
  chartLayout: z.string().optional(),
  builtBy: z.string().optional(),
  channel: z.string().optional(),
  dryRun: z.boolean().default(false),
});

/** `publish --tag VERSION`: plans the release, or takes the plan it is given, and does exactly that. */
export const publish: CommandModule = {
  async run(context, _, flags) {
    const options = Flags.parse(flags);
    const version = parseVersion(options.tag);
    const folder = releaseFolder(context.settings.home, version);
    const target = await openTarget(context.settings, version, context.signal);
    try {
      const made: MadePlan =
        options.plan === undefined
          ? await makePlan(context, target, version, { ...options, rehearsal: target.rehearsal })
          : { plan: await readGiven(options.plan), chart: undefined, manifests: undefined };
      const { plan } = made;
      assertMeant(plan, version.tag, target, context.settings.plainHttp);
      if (options.dryRun) {
        context.print(`${describePlan(plan)}dry run: nothing was written`, { ...plan, dryRun: true });
        return;
      }
      const layout = await readLayout(options.layout ?? folder.layout);
      const path = options.plan ?? folder.plan;
      if (options.plan === undefined) await writePlan(made, folder);
      const { sbom: sboms = folder.sbom, chartLayout: chart = folder.chart } = options;
      const applied = await applyWith(context, target, plan, path, { layout, sboms, chart });
      context.print(describeApplied(plan, applied), { version: plan.version, index: plan.index, ...applied });
    } finally {
      await target.close();
    }
  },
};

/**
 * Applies a plan under the repository's lock, with a journal and what was signed beside the plan's file.
 *
 * @param built what is published, with the folders of its SBOMs and its chart; a rollback or promotion has none
 */
export async function applyWith(
  context: Pick<Context, 'settings' | 'secrets' | 'progress' | 'signal'>,
  target: Target,
  plan: Plan,
  path: string,
  built?: { layout: Layout; sboms: string; chart: string },
): Promise<Applied> {
  const { settings, progress, signal } = context;
  const beside = dirname(resolve(path));
  // Before anything is written: a key that can not be used, an SBOM that is not the planned one.
  const attest =
    built === undefined ? undefined : await attestation(context, plan, built.sboms, join(beside, 'signed'));
  const scratch = join(settings.home, 'scratch');
  await mkdir(scratch, { recursive: true });
  const name = target.rehearsal ? `embedded/${target.repository}` : target.registry.name;
  const lock = await takeLock(settings.home, name);
  try {
    const journal = await openJournal(join(beside, 'journal.jsonl'), formatPlan(plan));
    const { registry } = target;
    const chart = built === undefined ? undefined : chartRelease(plan, target, built.chart);
    return await progress.stage(plan.action, (say) =>
      applyPlan(plan, { registry, journal, layout: built?.layout, chart, attest, scratch, say, signal }),
    );
  } finally {
    await lock.release();
  }
}

function chartRelease({ chart }: Plan, target: Target, dir: string): ChartRelease | undefined {
  return chart === undefined ? undefined : { registry: target.repositoryAt(chart.repository), dir };
}

async function attestation(
  context: Pick<Context, 'settings' | 'secrets' | 'signal'>,
  plan: Plan,
  sboms: string,
  kept: string,
): Promise<Attestation | undefined> {
  const notary = plan.signing === undefined ? undefined : await openNotary(context, plan.signing);
  if (notary === undefined) return undefined;
  return { notary, planned: await plannedAttachments(plan, sboms), kept };
}

/** What a plan did, a line each. */
export function describeApplied(plan: Plan, applied: Applied): string {
  const place = `${plan.registry}/${plan.repository}`;
  return [
    ...(applied.resumed ? ['an earlier run was cut off: this one went on from there'] : []),
    ...applied.signed.map((what) => `attached: ${what}`),
    ...applied.moved.map((tag) => `${place}:${tag} -> ${plan.index}`),
    ...(applied.chart === undefined || plan.chart === undefined
      ? []
      : [`${plan.registry}/${plan.chart.repository}:${applied.chart} -> ${plan.chart.move.to} (Helm chart)`]),
    ...(applied.moved.length === 0 && applied.signed.length === 0 && applied.chart === undefined
      ? [`${place}: every tag of ${plan.version} was in place, nothing was written`]
      : []),
  ].join('\n');
}

async function readGiven(path: string): Promise<Plan> {
  const found = await findPlan(path);
  if (found !== undefined) return found.plan;
  throw new ReleaseError(
    'PLAN_INVALID',
    `There is no plan at ${path}.`,
    'Make one with `thoth-release plan`.',
  );
}

/** A plan is applied only where it was made for; a rehearsal's never goes to a registry for users. */
function assertMeant(plan: Plan, tag: string, target: Target, plainHttp: readonly string[]): void {
  const fault =
    plan.version !== tag
      ? `it is for ${plan.version}, and ${tag} was asked for`
      : plan.repository !== target.repository || (plan.registry !== target.host && !target.rehearsal)
        ? `it is for ${plan.registry}/${plan.repository}, and not for ${target.registry.name}`
        : plan.rehearsal && !isLoopback(target.host) && !plainHttp.includes(target.host)
          ? `it is a rehearsal's, and ${target.host} is a real registry`
          : undefined;
  if (fault === undefined) return;
  throw new ReleaseError(
    'PLAN_INVALID',
    `This plan can not be applied: ${fault}.`,
    'Make a plan for what you want to do with `thoth-release plan`.',
  );
}
