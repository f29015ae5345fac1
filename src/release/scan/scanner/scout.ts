import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseError } from '../../errors.ts';
import { type CommandResult, runOk, tail } from '../../machine/command.ts';
import { describeFinding } from '../finding.ts';
import { VIEW, withView } from './image-view.ts';
import type { Scanner } from './scanner.ts';
import { readScoutFindings } from './scout-report.ts';

const REPORT = 'report.sarif';

/** Docker's CLI with its Scout plugin, logged in. */
export interface Scout {
  /** Path of `docker`. */
  readonly docker: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Docker Scout as a scanner: for vulnerabilities alone, which it looks up at Docker's service, so that its data is
 * always of now.
 */
export function createScoutScanner(scout: Scout): Scanner {
  return {
    async prepare(now) {
      const { stdout } = await runOk(scout.docker, scoutVersion(), { signal: scout.signal }, failed);
      const [, version = 'of an unknown version'] = /^version:\s*v?(\S+)/m.exec(stdout) ?? [];
      return {
        name: `docker scout ${version}`,
        vulnerabilities: { status: 'checked', databaseUpdatedAt: now.toISOString() },
        scanImage: (layout, image) =>
          withView(layout, image, async (folder) => {
            const options = { cwd: folder, signal: scout.signal };
            const result = await runOk(scout.docker, scoutCves(image.platform), options, failed);
            const sarif = await readFile(join(folder, REPORT), 'utf8').catch(() => {
              throw failed(result);
            });
            const findings = readScoutFindings(sarif, image.platform);
            const lines = findings.map((found) => describeFinding({ ...found, platform: image.platform }));
            return {
              packages: packagesIn(result),
              findings,
              table: `docker scout: ${lines.length} vulnerabilities\n${lines.join('\n')}\n`,
              sarif,
              files: { 'scout.sarif': sarif },
            };
          }),
      };
    },
  };
}

/** The command that says which version there is, and fails where there is none. */
export function scoutVersion(): readonly string[] {
  return ['scout', 'version'];
}

/**
 * The command that looks up one platform (https://docs.docker.com/reference/cli/docker/scout/cves). Nothing is
 * filtered, and without `--exit-code` it ends with 0 whatever it found: the gate is ours.
 */
export function scoutCves(platform: string): readonly string[] {
  return [
    'scout',
    'cves',
    '--format',
    'sarif',
    '--output',
    REPORT,
    '--platform',
    platform,
    `oci-dir://${VIEW}`,
  ];
}

/** Of its progress: `✓ Indexed 18 packages`, or `✓ SBOM of image already cached, 156 packages indexed`. */
function packagesIn({ stdout, stderr }: CommandResult): number {
  return Number(/(\d+) packages/.exec(stderr + stdout)?.[1] ?? 0);
}

function failed(result: CommandResult): ReleaseError {
  const said = result.stderr + result.stdout;
  const remedy = /log in with your docker id/i.test(said)
    ? 'Log in with `docker login`, or leave Scout out: THOTH_SCANNER=trivy.'
    : /not a docker command|unknown command/i.test(said)
      ? 'Install the plugin (https://docs.docker.com/scout/install), or leave it out: THOTH_SCANNER=trivy.'
      : 'Nothing was pushed. Read the lines it printed.';
  return new ReleaseError(
    'SCAN_FAILED',
    'Docker Scout could not do its part of the scan.',
    remedy,
    tail(result),
  );
}
