import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { chooseBuilder } from '../builder/choose.ts';
import { ReleaseError } from '../errors.ts';
import { findPlan, releaseFolder } from '../folder.ts';
import { assertClean, readRepository } from '../git.ts';
import { buildCommit } from '../prepare.ts';
import { openEmbedded, openTarget, type Target } from '../target.ts';
import {
  assertVerified,
  describeVerification,
  type Verification,
  verifyRelease,
  withRebuild,
} from '../verify.ts';
import { parseVersion, type Version } from '../version.ts';
import type { CommandModule, Context } from './context.ts';

const Flags = z.object({ tag: z.string(), rebuild: z.boolean().default(false) });

/** `verify --tag VERSION`: reads a release back from the registry and checks it. */
export const verify: CommandModule = {
  async run(context, _, flags) {
    const { settings, progress, print, signal } = context;
    const { tag, rebuild } = Flags.parse(flags);
    const version = parseVersion(tag);
    const scratch = join(settings.home, 'scratch');
    await mkdir(scratch, { recursive: true });
    const target = await openTarget(settings, version, signal);
    try {
      const plan = (await findPlan(releaseFolder(settings.home, version).plan))?.plan;
      // A plan for another registry says nothing about this one.
      const comparable =
        plan?.action === 'publish' && (plan.registry === target.host || (plan.rehearsal && target.rehearsal));
      const read = await progress.stage('verify', () =>
        verifyRelease(target.registry, version, {
          platforms: settings.platforms,
          sizeLimit: settings.sizeLimit,
          scratch,
          plan: comparable ? plan : undefined,
        }),
      );
      const verification = rebuild ? await rebuilt(context, target, version, read) : read;
      const place = target.rehearsal ? '(the embedded registry of rehearsals)\n' : '';
      print(`${place}${describeVerification(verification)}`, { ...verification, embedded: target.rehearsal });
      assertVerified(verification);
    } finally {
      await target.close();
    }
  },
};

/**
 * Builds the released commit again from nothing and compares the digests.
 *
 * @throws ReleaseError USAGE where another commit is checked out
 */
async function rebuilt(
  context: Context,
  target: Target,
  version: Version,
  read: Verification,
): Promise<Verification> {
  const { settings, progress, signal } = context;
  const repository = await readRepository(settings.project);
  assertClean(repository);
  if (repository.head !== read.revision) {
    throw new ReleaseError(
      'USAGE',
      `${version.tag} was built from ${read.revision ?? 'a commit it does not name'}, and ${repository.head} is checked out.`,
      `Check it out first: git checkout ${read.revision ?? version.tag}`,
    );
  }
  const embedded = target.rehearsal ? target : await openEmbedded(settings, signal);
  const dir = join(settings.home, 'scratch', `rebuild-${version.tag}`);
  try {
    const { regctl, host } = embedded;
    const builder = await chooseBuilder(settings, regctl, signal);
    const bench = { builder, regctl, host, progress, signal };
    const { layout } = await buildCommit(settings, version, repository, bench, { dir, noCache: true });
    return withRebuild(read, layout.index.digest, builder.name);
  } finally {
    await rm(dir, { recursive: true, force: true });
    if (embedded !== target) await embedded.close();
  }
}
