import { join } from 'node:path';
import { z } from 'zod';
import { writeWhole } from '../machine/file.ts';
import { releaseFolder } from '../publish/folder.ts';
import { describePlan, formatPlan, type Plan } from '../publish/plan.ts';
import { type MoveTarget, planPromotion, planRollback } from '../publish/rollback.ts';
import { openTarget, type Target } from '../publish/target.ts';
import { chartOf, type Settings } from '../settings.ts';
import { parseVersion, type Version } from '../versions/version.ts';
import type { CommandModule, Context } from './context.ts';
import { applyWith, describeApplied } from './publish.ts';

const RollbackFlags = z.object({ to: z.string(), dryRun: z.boolean().default(false) });
const PromoteFlags = RollbackFlags.extend({ channel: z.string().default('next') });

const ADVICE = [
  'Who pulls a range tag or latest gets this version at the next pull; who runs the newer one keeps it until',
  'then: `docker compose pull && docker compose up -d`. Who pinned a version or a digest is not affected.',
].join('\n');

/** What a rollback leaves to be said; `helm` takes the highest version of a chart and knows no `latest`. */
function adviceOn(settings: Settings, { version }: Version): string {
  const chart = chartOf(settings)?.repository;
  if (chart === undefined) return ADVICE;
  return `${ADVICE}\nThe Helm chart ${chart} stays: who installs by it names \`--version ${version}\`.`;
}

/** `rollback --to VERSION`: moves the range tags back, without a build. */
export const rollback: CommandModule = {
  async run(context, _, flags) {
    const { to, dryRun } = RollbackFlags.parse(flags);
    const wanted = parseVersion(to);
    await move(context, wanted, dryRun, adviceOn(context.settings, wanted), (target, version) =>
      planRollback(target.registry, meant(target), version),
    );
  },
};

/** `promote --to VERSION --channel NAME`: points a channel at a released version, without a build. */
export const promote: CommandModule = {
  async run(context, _, flags) {
    const { to, dryRun, channel } = PromoteFlags.parse(flags);
    await move(context, parseVersion(to), dryRun, '', (target, version) =>
      planPromotion(target.registry, meant(target), version, channel),
    );
  },
};

async function move(
  context: Context,
  version: Version,
  dryRun: boolean,
  advice: string,
  makePlan: (target: Target, version: Version) => Promise<Plan>,
): Promise<void> {
  const target = await openTarget(context.settings, version, context.signal);
  try {
    const plan = await makePlan(target, version);
    if (dryRun) {
      context.print(`${describePlan(plan)}\n${advice}\ndry run: nothing was written`, {
        ...plan,
        dryRun: true,
      });
      return;
    }
    const path = join(releaseFolder(context.settings.home, version).dir, plan.action, 'plan.json');
    await writeWhole(path, formatPlan(plan));
    const applied = await applyWith(context, target, plan, path);
    context.print(`${describeApplied(plan, applied)}\n${advice}`, { ...plan, ...applied });
  } finally {
    await target.close();
  }
}

function meant(target: Target): MoveTarget {
  return { registry: target.host, repository: target.repository, rehearsal: target.rehearsal };
}
