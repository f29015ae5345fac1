import { join } from 'node:path';
import { z } from 'zod';
import { changelogSection } from '../history/changelog.ts';
import { readRepository } from '../history/git.ts';
import { type Layout, readLayout } from '../image/layout.ts';
import { writeWhole } from '../machine/file.ts';
import { renderNotes } from '../notes/notes.ts';
import { type NoPrevious, type PreviousRelease, readPrevious } from '../notes/previous.ts';
import { releaseFolder } from '../publish/folder.ts';
import { openTarget, type Target } from '../publish/target.ts';
import { ScanReport } from '../scan/scan.ts';
import { openScanners, openTrivy } from '../scan/scanner/choose.ts';
import { chartOf, repositoryOf } from '../settings.ts';
import { tagsFor } from '../versions/tags.ts';
import { parseVersion, type Version } from '../versions/version.ts';
import type { CommandModule, Context } from './context.ts';
import { readRecord } from './record.ts';

const Flags = z.object({
  layout: z.string().optional(),
  scan: z.string().optional(),
  output: z.string().optional(),
});

/** `notes VERSION`: the release notes; with `--layout` digests, sizes, and what changed since the release before. */
export const notes: CommandModule = {
  async run(context, [text = ''], flags) {
    const { settings, print } = context;
    const { layout: dir, scan, output } = Flags.parse(flags);
    const version = parseVersion(text);
    const repository = await readRepository(settings.project);
    const report = scan ?? join(releaseFolder(settings.home, version).scan, 'report.json');
    const layout = dir === undefined ? undefined : await readLayout(dir);
    const rendered = renderNotes({
      version,
      section: await changelogSection(settings.project, version),
      registry: settings.registry,
      title: settings.title,
      repository: repositoryOf(settings),
      tags: tagsFor(version, repository.versions),
      chart: chartOf(settings)?.repository,
      manifests: settings.manifests !== undefined,
      ...(layout === undefined
        ? {}
        : {
            layout,
            scan: await readRecord(report, ScanReport),
            previous: await previousOf(context, version, repository.versions, layout),
          }),
    });
    if (output !== undefined) await writeWhole(output, rendered);
    print(rendered, { version: version.tag, notes: rendered });
  },
};

async function previousOf(
  { settings, progress, signal }: Context,
  version: Version,
  tagged: readonly Version[],
  layout: Layout,
): Promise<PreviousRelease | NoPrevious> {
  let target: Target | undefined;
  return progress.stage('previous release', async (say) => {
    try {
      return await readPrevious({
        registry: async () => {
          target = await openTarget(settings, version, signal);
          return target.registry;
        },
        version,
        tagged,
        layout,
        scratch: join(settings.home, 'scratch'),
        scan: settings,
        scanners: async () => (await openScanners(settings, await openTrivy(settings, signal)))(say),
        say,
      });
    } finally {
      await target?.close();
    }
  });
}
