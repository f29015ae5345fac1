import { reportRescan, rescanReleased } from './command.ts';
import { withGitHub } from './github.ts';
import type { Pipeline } from './pipeline.ts';
import { registryAccess, withAccess } from './registry.ts';
import { run, toolbox, uncached } from './toolbox.ts';

const REPORT = '/release/rescan.json';

/**
 * Scans what was released with the vulnerabilities known today.
 *
 * @param issue whether GitHub is told: one issue is opened, updated or closed
 * @returns what was found, a line each
 * @throws Error before anything is scanned, where GitHub is to be told and there is no token
 */
export async function rescan(pipeline: Pipeline, issue: boolean): Promise<string> {
  const box = uncached(await toolbox(pipeline, ['regctl', 'trivy']));
  if (issue) withGitHub(box, pipeline);
  const access = await registryAccess(pipeline);
  const scanned = await run('rescan', withAccess(box, access), rescanReleased(access.target, REPORT));
  if (!issue) return scanned.stdout();
  const reporter = withGitHub(uncached(await toolbox(pipeline)), pipeline).withFile(
    REPORT,
    scanned.file(REPORT),
  );
  return (await run('rescan --issue', reporter, reportRescan(REPORT))).stdout();
}
