import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { readLayout, verifyLayout } from '../image/layout.ts';
import { assertKept, describeViolation, judge } from '../policy/policy.ts';
import { assertGate, describeScan, gate } from '../scan/gate.ts';
import { readIgnored } from '../scan/ignored.ts';
import { scanLayout } from '../scan/scan.ts';
import { openScanners, openTrivy } from '../scan/scanner/choose.ts';
import { readDockerfile } from '../settings.ts';
import type { CommandModule } from './context.ts';

const Flags = z.object({
  layout: z.string(),
  format: z.enum(['table', 'json', 'sarif']).default('table'),
  output: z.string().optional(),
  allowUnchecked: z.boolean().default(false),
});

/**
 * `scan --layout DIR`: says everything that would stop this image: what the scanners find on every platform and in
 * the Dockerfile, and what breaks the image policy. Exit code 3 at the scan's gate, 4 where only the policy is
 * broken, 7 without fresh vulnerability data.
 */
export const scan: CommandModule = {
  async run(context, _, flags) {
    const { layout: dir, format, output, allowUnchecked } = Flags.parse(flags);
    const { settings, progress, print, json, signal } = context;
    const { severity, licenses, policy } = settings;
    const layout = await readLayout(dir);
    await verifyLayout(layout);
    const scanners = await openScanners(settings, await openTrivy(settings, signal));
    const reports = output ?? (await mkdtemp(join(tmpdir(), 'thoth-scan-')));
    try {
      const exceptions = await readIgnored(settings.project, new Date());
      const dockerfile = await readDockerfile(settings);
      const report = await progress.stage('scan', async (say) => {
        const options = { severity, licenses, dockerfile, exceptions, output: reports, say };
        return scanLayout(await scanners(say), layout, options);
      });
      // The platforms that are there: whether any is missing is for `policy` to say.
      const platforms = layout.platforms.map((image) => image.platform);
      const violations = await judge(layout, { platforms, policy });
      const broken = violations.map(describeViolation);
      const result = { ...report, stopped: gate(report), violations };
      if (format === 'sarif' && !json) {
        process.stdout.write(await readFile(join(reports, 'report.sarif'), 'utf8'));
      } else if (format === 'json' && !json) {
        process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
      } else {
        const table = (await readFile(join(reports, 'report.txt'), 'utf8')).trim();
        print([table, describeScan(report), ...broken].join('\n'), result);
      }
      assertGate(report, { allowUnchecked, besides: broken });
      assertKept(violations);
    } finally {
      if (output === undefined) await rm(reports, { recursive: true, force: true });
    }
  },
};
