import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readIgnored } from '../ignored.ts';
import { readLayout, verifyLayout } from '../layout.ts';
import { assertGate, describeScan, gate, scanLayout } from '../scan.ts';
import { requireTool } from '../tools.ts';
import type { Trivy } from '../trivy.ts';
import type { CommandModule, Context } from './context.ts';

const ENDINGS = { table: 'txt', json: 'json', sarif: 'sarif' } as const;
const Flags = z.object({
  layout: z.string(),
  format: z.enum(['table', 'json', 'sarif']).default('table'),
  output: z.string().optional(),
  allowUnchecked: z.boolean().default(false),
});

/** `scan --layout DIR`: scans every platform; exit code 3 at the gate, 7 without fresh vulnerability data. */
export const scan: CommandModule = {
  async run(context, _, flags) {
    const { layout: dir, format, output, allowUnchecked } = Flags.parse(flags);
    const { settings, progress, print, json } = context;
    const layout = await readLayout(dir);
    await verifyLayout(layout);
    const trivy = await openTrivy(context);
    const reports = output ?? (await mkdtemp(join(tmpdir(), 'thoth-scan-')));
    try {
      const now = new Date();
      const exceptions = await readIgnored(settings.project, now);
      const report = await progress.stage('scan', (say) =>
        scanLayout(trivy, layout, { severity: settings.severity, output: reports, now, exceptions, say }),
      );
      const stopped = gate(report);
      const files = layout.platforms.map(({ platform }) =>
        join(reports, `${platform.replace('/', '-')}.${ENDINGS[format]}`),
      );
      const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
      if (format === 'table' || json) {
        print(`${texts.join('\n').trim()}\n${describeScan(report)}`, { ...report, stopped });
      } else {
        process.stdout.write(
          format === 'json' ? `${JSON.stringify({ ...report, stopped })}\n` : texts.join('\n'),
        );
      }
      assertGate(report, { allowUnchecked });
    } finally {
      if (output === undefined) await rm(reports, { recursive: true, force: true });
    }
  },
};

/** The scanner, with its cache in the home folder. */
export async function openTrivy({ settings, signal }: Context): Promise<Trivy> {
  return {
    program: await requireTool('trivy', settings.home),
    cache: join(settings.home, 'trivy'),
    dbRepository: settings.trivyDb,
    signal,
  };
}
