import { join } from 'node:path';
import { z } from 'zod';
import { changelogSection } from '../changelog.ts';
import { writeWhole } from '../file.ts';
import { releaseFolder } from '../folder.ts';
import { readRepository } from '../git.ts';
import { readLayout } from '../layout.ts';
import { renderNotes } from '../notes.ts';
import { ScanReport } from '../scan.ts';
import { tagsFor } from '../tags.ts';
import { parseVersion } from '../version.ts';
import type { CommandModule } from './context.ts';
import { readRecord } from './record.ts';

const Flags = z.object({
  layout: z.string().optional(),
  scan: z.string().optional(),
  output: z.string().optional(),
});

/** `notes VERSION`: the release notes; with `--layout` with digests and sizes too. */
export const notes: CommandModule = {
  async run({ settings, print }, [text = ''], flags) {
    const { layout, scan, output } = Flags.parse(flags);
    const version = parseVersion(text);
    const repository = await readRepository(settings.project);
    const report = scan ?? join(releaseFolder(settings.home, version).scan, 'report.json');
    const rendered = renderNotes({
      version,
      section: await changelogSection(settings.project, version),
      registry: settings.registry,
      repository: settings.repository,
      tags: tagsFor(version, repository.versions),
      ...(layout === undefined
        ? {}
        : { layout: await readLayout(layout), scan: await readRecord(report, ScanReport) }),
    });
    if (output !== undefined) await writeWhole(output, rendered);
    print(rendered, { version: version.tag, notes: rendered });
  },
};
