import { chooseBuilder } from '../build/builder/choose.ts';
import type { Workshop } from '../publish/prepare.ts';
import type { Target } from '../publish/target.ts';
import { openScanners, openTrivy } from '../scan/scanner/choose.ts';
import { chooseRunner } from '../start/runner/choose.ts';
import type { Context } from './context.ts';

/** What this machine builds and starts images with. @throws ReleaseError NO_BUILDER, NO_RUNNER, TOOL_MISSING */
export async function openWorkshop(context: Context, embedded: Target): Promise<Workshop> {
  const { settings, progress, signal } = context;
  const trivy = await openTrivy(settings, signal);
  const { regctl, host } = embedded;
  return {
    builder: await chooseBuilder(settings, regctl, signal),
    runner: await chooseRunner(settings, regctl, signal),
    regctl,
    trivy,
    scanners: await openScanners(settings, trivy),
    host,
    progress,
    signal,
  };
}
