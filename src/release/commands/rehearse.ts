import { join } from 'node:path';
import { z } from 'zod';
import { writeChangelog } from '../history/changelog.ts';
import { assertClean, assertTagAtHead, readRepository } from '../history/git.ts';
import { writeWhole } from '../machine/file.ts';
import { renderNotes } from '../notes/notes.ts';
import { readPrevious } from '../notes/previous.ts';
import { describeSummary, summarize } from '../notes/summary.ts';
import { releaseFolder } from '../publish/folder.ts';
import { formatPlan } from '../publish/plan.ts';
import { buildRelease, forgetRehearsal } from '../publish/prepare.ts';
import { openEmbedded } from '../publish/target.ts';
import { assertVerified, verifyRelease } from '../publish/verify.ts';
import { parseVersion } from '../versions/version.ts';
import type { CommandModule } from './context.ts';
import { makePlan } from './plan.ts';
import { applyWith } from './publish.ts';
import { openSignatures } from './verify.ts';
import { openWorkshop } from './workshop.ts';

const Flags = z.object({
  port: z.coerce.number().int().min(1).max(65_535).optional(),
  channel: z.string().optional(),
});

/** `rehearse VERSION`: a whole release, from the Dockerfile to verified tags in a registry on this machine. */
export const rehearse: CommandModule = {
  async run(context, [text = ''], flags) {
    const { settings, progress, signal, print } = context;
    const { port, channel } = Flags.parse(flags);
    const version = parseVersion(text);
    const folder = releaseFolder(settings.home, version);
    const repository = await progress.stage('repository', async () => {
      const found = await readRepository(settings.project);
      assertClean(found);
      await assertTagAtHead(settings.project, version, found);
      return found;
    });
    const target = await progress.stage('registry', () => openEmbedded(settings, signal, port));
    try {
      const workshop = await openWorkshop(context, target);
      const { layout } = await buildRelease(settings, version, repository, workshop);
      const removed = await forgetRehearsal(target.registry, version, layout.index.digest);
      if (removed.length > 0) progress.warn(`an earlier rehearsal is replaced: ${removed.join(', ')}`);
      const plan = await makePlan(context, target, version, { channel, rehearsal: true });
      await writeWhole(folder.plan, formatPlan(plan));
      await applyWith(context, target, plan, folder.plan, { layout, sboms: folder.sbom });
      const { platforms, sizeLimit } = settings;
      const { signed } = await openSignatures(context, target, version, plan);
      await progress.stage('verify', async () => {
        const options = { platforms, sizeLimit, scratch: folder.dir, plan, signed };
        assertVerified(await verifyRelease(target.registry, version, options));
      });
      const previous = await progress.stage('previous release', (say) =>
        readPrevious({
          registry: async () => target.registry,
          version,
          tagged: repository.versions,
          layout,
          scratch: folder.dir,
          scan: settings,
          scanners: () => workshop.scanners(say),
          say,
        }),
      );
      await progress.stage('notes', async () => {
        const { project } = settings;
        const written = join(folder.dir, 'CHANGELOG.md');
        const { section } = await writeChangelog(project, version, written, join(project, 'CHANGELOG.md'));
        const notes = renderNotes({
          version,
          section,
          registry: settings.registry,
          repository: settings.repository,
          tags: plan.moves.map((move) => move.tag),
          layout,
          scan: plan.made?.scan,
          previous,
        });
        await writeWhole(folder.notes, notes);
      });
      const summary = summarize(plan, progress.seconds, performance.now() / 1_000);
      await writeWhole(folder.summary, `${JSON.stringify(summary, null, 2)}\n`);
      print(`\n${describeSummary(summary)}\n\nEverything is in ${folder.dir}`, summary);
    } finally {
      await target.close();
    }
  },
};
