import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { readRepository } from '../history/git.ts';
import { tagsFor } from '../versions/tags.ts';
import { parseVersion, type Version } from '../versions/version.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({ existing: z.string().optional(), channel: z.string().optional() });

/** `tags VERSION`: the tags it would get, in push order. */
export const tags: CommandModule = {
  async run({ settings, print, json }, [version = ''], flags) {
    const { existing, channel } = Flags.parse(flags);
    const wanted = parseVersion(version);
    const known =
      existing === undefined ? (await readRepository(settings.project)).versions : parseList(existing);
    const found = tagsFor(wanted, known, { channel });
    // One line, so that it can be pasted into a shell or a workflow.
    if (json) process.stdout.write(`${JSON.stringify(found)}\n`);
    else print(found.join('\n'), found);
  },
};

function parseList(text: string): Version[] {
  const parts = text.split(',').map((part) => part.trim());
  try {
    return parts.filter((part) => part !== '').map(parseVersion);
  } catch (cause) {
    const message = cause instanceof ReleaseError ? cause.message : String(cause);
    throw new ReleaseError(
      'VERSION_INVALID',
      `--existing: ${message}`,
      'Give versions with commas between them, such as v1.0.0,v1.1.0.',
    );
  }
}
