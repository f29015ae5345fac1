import { join } from 'node:path';
import { z } from 'zod';
import { writeChangelog } from '../history/changelog.ts';
import { assertClean, assertTagAtHead, type Repository, readRepository } from '../history/git.ts';
import { writeWhole } from '../machine/file.ts';
import { renderNotes } from '../notes/notes.ts';
import { readPrevious } from '../notes/previous.ts';
import { describeSummary, summarize } from '../notes/summary.ts';
import { releaseFolder } from '../publish/folder.ts';
import { buildRelease, forgetRehearsal } from '../publish/prepare.ts';
import { openEmbedded, type Target } from '../publish/target.ts';
import { assertVerified, verifyRelease } from '../publish/verify.ts';
import { chartOf, type Settings } from '../settings.ts';
import { parseVersion, type Version } from '../versions/version.ts';
import type { CommandModule } from './context.ts';
import { makePlan, packChartOf, writePlan } from './plan.ts';
import { applyWith } from './publish.ts';
import { chartTarget, openSignatures } from './verify.ts';
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
      const removed = await forgetEarlier(settings, target, version, repository, layout.index.digest);
      if (removed.length > 0) progress.warn(`an earlier rehearsal is replaced: ${removed.join(', ')}`);
      const made = await makePlan(context, target, version, { channel, rehearsal: true });
      const { plan } = made;
      await writePlan(made, folder);
      const built = { layout, sboms: folder.sbom, chart: folder.chart };
      await applyWith(context, target, plan, folder.plan, built);
      const { platforms, policy } = settings;
      const { signed } = await openSignatures(context, target, version, plan);
      await progress.stage('verify', async () => {
        const chart = chartTarget(settings, target, plan);
        const options = { platforms, policy, scratch: folder.dir, plan, signed, chart };
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
          title: settings.title,
          repository: target.repository,
          tags: plan.moves.map((move) => move.tag),
          chart: plan.chart?.repository,
          manifests: plan.manifests !== undefined,
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

/** Removes what an earlier rehearsal of the version left, where this one differs. @returns its tags */
async function forgetEarlier(
  settings: Settings,
  { registry, repositoryAt }: Target,
  version: Version,
  repository: Repository,
  index: string,
): Promise<readonly string[]> {
  const removed = await forgetRehearsal(registry, version.tag, index);
  const chart = await packChartOf(settings, version, repository, index);
  const place = chartOf(settings)?.repository;
  if (chart === undefined || place === undefined) return removed;
  const charts = await forgetRehearsal(repositoryAt(place), version.version, chart.digest);
  return [...removed, ...charts.map((tag) => `chart ${tag}`)];
}
