import { z } from 'zod';
import { changelogSection, writeChangelog } from '../history/changelog.ts';
import { parseVersion } from '../versions/version.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({ write: z.string().optional(), from: z.string().optional() });

/** `changelog VERSION`: its section, printed; or put into a file with `--write`. */
export const changelog: CommandModule = {
  async run({ settings, print }, [version = ''], flags) {
    const { write, from } = Flags.parse(flags);
    const parsed = parseVersion(version);
    const { project } = settings;
    const section =
      write === undefined
        ? await changelogSection(project, parsed)
        : (await writeChangelog(project, parsed, write, from)).section;
    print(section, { version: parsed.tag, section, ...(write === undefined ? {} : { file: write }) });
  },
};
