import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { readLayout } from '../image/layout.ts';
import { writeWhole } from '../machine/file.ts';
import { StartEvidence, waitForHealth } from '../start/start.ts';
import type { CommandModule } from './context.ts';
import { readRecord } from './record.ts';

const Flags = z.object({
  layout: z.string(),
  platform: z.string(),
  url: z.url(),
  evidence: z.string().optional(),
});

/**
 * `start --layout DIR --platform P --url URL`: waits until the platform, started by somebody else from this
 * layout, answers as it should, and writes down that it did.
 */
export const start: CommandModule = {
  async run({ settings, progress, print, signal }, _, flags) {
    const { layout, platform, url, evidence } = Flags.parse(flags);
    const image = (await readLayout(layout)).platforms.find((one) => one.platform === platform);
    if (image === undefined) {
      throw new ReleaseError('LAYOUT_INVALID', `${layout} holds no ${platform}.`, 'Build the layout for it.');
    }
    const begun = performance.now();
    await progress.stage(`start ${platform}`, () => waitForHealth(url, platform, settings.start, { signal }));
    const record: StartEvidence = {
      platform,
      digest: image.digest,
      seconds: Math.round(performance.now() - begun) / 1_000,
      runner: 'external',
    };
    if (evidence !== undefined) {
      const others = (await readEvidence(evidence)).filter((one) => one.platform !== platform);
      await writeWhole(evidence, `${JSON.stringify([...others, record], null, 2)}\n`);
    }
    print(`${platform} was healthy after ${record.seconds} s`, record);
  },
};

/** Reads what was written down of started platforms; nothing where there is no file. */
export async function readEvidence(path: string): Promise<StartEvidence[]> {
  return (await readRecord(path, z.array(StartEvidence))) ?? [];
}
