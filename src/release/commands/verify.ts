import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { findPlan, releaseFolder } from '../folder.ts';
import { openTarget } from '../target.ts';
import { assertVerified, describeVerification, verifyRelease } from '../verify.ts';
import { parseVersion } from '../version.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({ tag: z.string() });

/** `verify --tag VERSION`: reads a release back from the registry and checks it. */
export const verify: CommandModule = {
  async run({ settings, progress, print, signal }, _, flags) {
    const version = parseVersion(Flags.parse(flags).tag);
    const scratch = join(settings.home, 'scratch');
    await mkdir(scratch, { recursive: true });
    const target = await openTarget(settings, version, signal);
    try {
      const plan = (await findPlan(releaseFolder(settings.home, version).plan))?.plan;
      // A plan for another registry says nothing about this one.
      const comparable =
        plan?.action === 'publish' && (plan.registry === target.host || (plan.rehearsal && target.rehearsal));
      const verification = await progress.stage('verify', () =>
        verifyRelease(target.registry, version, {
          platforms: settings.platforms,
          scratch,
          plan: comparable ? plan : undefined,
        }),
      );
      const place = target.rehearsal ? '(the embedded registry of rehearsals)\n' : '';
      print(`${place}${describeVerification(verification)}`, { ...verification, embedded: target.rehearsal });
      assertVerified(verification);
    } finally {
      await target.close();
    }
  },
};
