import { join } from 'node:path';
import { together } from '../../machine/together.ts';
import { requireTool } from '../../machine/tools.ts';
import type { Settings } from '../../settings.ts';
import type { ReadyScanner, Scanner } from './scanner.ts';
import { createScoutScanner } from './scout.ts';
import type { Trivy } from './trivy.ts';
import { createTrivyScanner } from './trivy-scanner.ts';

/** Trivy, with its cache in the home folder. @throws ReleaseError TOOL_MISSING */
export async function openTrivy(
  settings: Pick<Settings, 'home' | 'trivyDb'>,
  signal: AbortSignal,
): Promise<Trivy> {
  return {
    program: await requireTool('trivy', settings.home),
    cache: join(settings.home, 'trivy'),
    dbRepository: settings.trivyDb,
    signal,
  };
}

/**
 * The scanners that the settings ask for. Trivy is always one of them: nobody else looks for secrets,
 * misconfiguration and licences.
 *
 * @throws ReleaseError TOOL_MISSING
 */
export async function chooseScanners(
  settings: Pick<Settings, 'home' | 'scanner'>,
  trivy: Trivy,
): Promise<readonly Scanner[]> {
  const { scanner, home } = settings;
  const first = createTrivyScanner(trivy, { vulnerabilities: scanner !== 'scout' });
  if (scanner === 'trivy') return [first];
  return [first, createScoutScanner({ docker: await requireTool('docker', home), signal: trivy.signal })];
}

/** Prepares all of them, side by side. */
export async function prepareScanners(
  scanners: readonly Scanner[],
  now: Date,
  say: (line: string) => void,
): Promise<readonly ReadyScanner[]> {
  say('updating the vulnerability database');
  return together(scanners.map((scanner) => scanner.prepare(now)));
}

/** Chooses the scanners now, and prepares them when they are first asked for: every scan of a run has the same data. */
export async function openScanners(
  settings: Pick<Settings, 'home' | 'scanner'>,
  trivy: Trivy,
): Promise<(say: (line: string) => void) => Promise<readonly ReadyScanner[]>> {
  const chosen = await chooseScanners(settings, trivy);
  let ready: Promise<readonly ReadyScanner[]> | undefined;
  return (say) => {
    ready ??= prepareScanners(chosen, new Date(), say);
    return ready;
  };
}
