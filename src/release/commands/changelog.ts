import { z } from 'zod';
import { changelogSection, writeChangelog } from '../changelog.ts';
import { parseVersion } from '../version.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({ write: z.string().optional() });

/** `changelog VERSION`: its section, printed; or put into a file with `--write`. */
export const changelog: CommandModule = {
  async run({ settings, print }, [version = ''], flags) {
    const { write } = Flags.parse(flags);
    const parsed = parseVersion(version);
    if (write !== undefined) await writeChangelog(settings.project, parsed, write);
    const section = await changelogSection(settings.project, parsed);
    print(section, { version: parsed.tag, section, ...(write === undefined ? {} : { file: write }) });
  },
};
