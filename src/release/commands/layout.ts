import { mkdtemp, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { finishLayout } from '../build/build.ts';
import { ReleaseError } from '../errors.ts';
import { readLayout } from '../image/layout.ts';
import { coverLonePlatform } from '../image/lone-platform.ts';
import { runOk, tail } from '../machine/command.ts';
import { requireTool } from '../machine/tools.ts';
import { createRegctl } from '../registry/regctl.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({ output: z.string() });

/** `layout ARCHIVE --output DIR`: makes the release's layout of the OCI archive that an engine exported. */
export const layout: CommandModule = {
  async run({ settings, print, signal, progress }, [archive = ''], flags) {
    const { output } = Flags.parse(flags);
    const regctl = createRegctl(await requireTool('regctl', settings.home), { signal });
    const tar = await requireTool('tar', settings.home);
    const unpacked = await mkdtemp(`${dirname(output)}/unpacked-`);
    try {
      const made = await progress.stage('layout', async () => {
        await runOk(
          tar,
          ['-xf', archive, '-C', unpacked],
          { signal },
          (result) =>
            new ReleaseError(
              'LAYOUT_INVALID',
              `${archive} can not be unpacked.`,
              'Give an OCI archive: a tar file with index.json and blobs/ in it.',
              tail(result),
            ),
        );
        await coverLonePlatform(unpacked);
        const { index } = await readLayout(unpacked);
        return finishLayout(`ocidir://${unpacked}@${index.digest}`, output, regctl);
      });
      const lines = made.platforms.map((image) => `${image.platform}  ${image.digest}`);
      print([made.index.digest, ...lines].join('\n'), {
        index: made.index.digest,
        platforms: made.platforms.map(({ platform, digest, size }) => ({ platform, digest, size })),
      });
    } finally {
      await rm(unpacked, { recursive: true, force: true });
    }
  },
};
