import { z } from 'zod';
import { readLayout } from '../image/layout.ts';
import { writeSboms } from '../scan/sbom.ts';
import { openTrivy } from '../scan/scanner/choose.ts';
import { repositoryOf } from '../settings.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({ layout: z.string(), output: z.string() });

/** `sbom --layout DIR --output DIR`: CycloneDX and SPDX of every platform. */
export const sbom: CommandModule = {
  async run(context, _, flags) {
    const { layout, output } = Flags.parse(flags);
    const name = `${context.settings.registry}/${repositoryOf(context.settings)}`;
    const trivy = await openTrivy(context.settings, context.signal);
    const image = await readLayout(layout);
    const files = await context.progress.stage('SBOM', () => writeSboms(trivy, image, output, name));
    context.print(files.join('\n'), files);
  },
};
