import { z } from 'zod';
import { readLayout, verifyLayout } from '../image/layout.ts';
import { megabytes } from '../image/megabytes.ts';
import { assertKept, judge } from '../policy/policy.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({ layout: z.string() });

/** `policy --layout DIR`: judges an image; exit code 4 where it breaks a rule. */
export const policy: CommandModule = {
  async run({ settings, print }, _, flags) {
    const layout = await readLayout(Flags.parse(flags).layout);
    await verifyLayout(layout);
    const violations = await judge(layout, settings);
    const images = layout.platforms.map(({ platform, digest, size }) => ({ platform, digest, size }));
    const lines = images.map((image) => `${image.platform}  ${image.digest}  ${megabytes(image.size)} MB`);
    if (violations.length === 0) lines.push('The image keeps every rule of the image policy.');
    print(lines.join('\n'), { index: layout.index.digest, platforms: images, violations });
    assertKept(violations);
  },
};
