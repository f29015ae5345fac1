import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from './errors.ts';
import type { Layout, PlatformImage } from './layout.ts';
import type { Severity } from './settings.ts';
import { type Trivy, trivyConvert, trivyImage, trivyVersion, updateDatabase } from './trivy.ts';

/** A database older than this says nothing about what was found since. */
const DATABASE_MAX_AGE_DAYS = 7;
const DAY_MS = 86_400_000;

const Severities = z.enum(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN']).catch('UNKNOWN');

/** The part of Trivy's JSON report (schema version 2) that a decision rests on. */
const TrivyReport = z.object({
  Metadata: z.object({ ImageID: z.string() }),
  Results: z
    .array(
      z.object({
        Target: z.string(),
        Vulnerabilities: z
          .array(
            z.object({
              VulnerabilityID: z.string(),
              PkgName: z.string(),
              InstalledVersion: z.string().default(''),
              FixedVersion: z.string().optional(),
              Severity: Severities,
              Title: z.string().optional(),
            }),
          )
          .optional(),
        Secrets: z
          .array(
            z.object({
              RuleID: z.string(),
              Severity: Severities,
              Title: z.string(),
              StartLine: z.number().optional(),
            }),
          )
          .optional(),
        Misconfigurations: z
          .array(z.object({ ID: z.string(), Severity: Severities, Title: z.string(), Status: z.string() }))
          .optional(),
      }),
    )
    .optional(),
});

export const Finding = z.object({
  kind: z.enum(['vulnerability', 'secret', 'misconfiguration']),
  id: z.string(),
  severity: z.enum(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN']),
  title: z.string(),
  /** File, package or image part it is in. */
  target: z.string(),
  /** The version that mends it, for a vulnerability that has one. */
  fixedIn: z.string().optional(),
});
export type Finding = z.infer<typeof Finding>;

/** What was looked at, and what was found. `vulnerabilities` says whether it was looked for at all. */
export const ScanReport = z.object({
  scanner: z.string(),
  severity: z.array(z.string()),
  vulnerabilities: z.discriminatedUnion('status', [
    z.object({ status: z.literal('checked'), databaseUpdatedAt: z.string() }),
    z.object({ status: z.literal('not-checked'), reason: z.string() }),
  ]),
  platforms: z.array(z.object({ platform: z.string(), digest: z.string(), findings: z.array(Finding) })),
});
export type ScanReport = z.infer<typeof ScanReport>;

/**
 * Scans every platform of a layout for vulnerabilities, secrets and misconfiguration. Where the database is
 * missing or older than seven days, vulnerabilities are not looked for, and the report says so.
 *
 * @param output folder for Trivy's own reports: `linux-amd64.json`, `.txt`, `.sarif`, and `report.json`
 */
export async function scanLayout(
  trivy: Trivy,
  layout: Layout,
  options: { severity: readonly Severity[]; output: string; now: Date; say?: (line: string) => void },
): Promise<ScanReport> {
  options.say?.('updating the vulnerability database');
  const problem = await updateDatabase(trivy);
  const { version, databaseUpdatedAt } = await trivyVersion(trivy);
  const vulnerabilities = freshness(databaseUpdatedAt, options.now, problem);
  const scanners = vulnerabilities.status === 'checked' ? 'vuln,secret,misconfig' : 'secret,misconfig';
  await mkdir(options.output, { recursive: true });

  const platforms: ScanReport['platforms'] = [];
  for (const image of layout.platforms) {
    options.say?.(image.platform);
    const stdout = await trivyImage(trivy, layout.dir, image, [
      ...['--format', 'json', '--scanners', scanners, '--image-config-scanners', 'misconfig,secret'],
      ...[
        '--skip-db-update',
        '--skip-java-db-update',
        '--skip-check-update',
        '--offline-scan',
        '--skip-vex-repo-update',
      ],
    ]);
    const base = join(options.output, image.platform.replace('/', '-'));
    await writeFile(`${base}.json`, stdout);
    await trivyConvert(trivy, `${base}.json`, 'table', `${base}.txt`);
    await trivyConvert(trivy, `${base}.json`, 'sarif', `${base}.sarif`);
    platforms.push({ platform: image.platform, digest: image.digest, findings: readFindings(stdout, image) });
  }
  const report: ScanReport = {
    scanner: `trivy ${version}`,
    severity: [...options.severity],
    vulnerabilities,
    platforms,
  };
  await writeFile(join(options.output, 'report.json'), `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** Whether a database may be trusted: there, and made within the last seven days. */
export function freshness(
  updated: Date | undefined,
  now: Date,
  problem?: string,
): ScanReport['vulnerabilities'] {
  const because = problem === undefined ? '' : ` and it could not be fetched: ${problem}`;
  if (updated === undefined)
    return { status: 'not-checked', reason: `there is no vulnerability database${because}` };
  const days = (now.getTime() - updated.getTime()) / DAY_MS;
  if (days > DATABASE_MAX_AGE_DAYS) {
    return {
      status: 'not-checked',
      reason: `the vulnerability database is ${Math.floor(days)} days old${because}`,
    };
  }
  return { status: 'checked', databaseUpdatedAt: updated.toISOString() };
}

/**
 * Reads one platform's report.
 *
 * @throws ReleaseError SCAN_FAILED where the report is of another image or has another form.
 */
export function readFindings(
  json: string,
  image: Pick<PlatformImage, 'platform' | 'configDigest'>,
): Finding[] {
  const parsed = TrivyReport.safeParse(JSON.parse(json));
  if (!parsed.success) {
    throw new ReleaseError(
      'SCAN_FAILED',
      `Trivy's report on ${image.platform} has a form this version does not know.`,
      'Use the Trivy that `make tools` builds.',
      [z.prettifyError(parsed.error)],
    );
  }
  const report = parsed.data;
  if (report.Metadata.ImageID !== image.configDigest) {
    throw new ReleaseError(
      'SCAN_FAILED',
      `Trivy scanned ${report.Metadata.ImageID}, and ${image.platform} is ${image.configDigest}.`,
      'Nothing was pushed. This is a fault of the pipeline: please report it.',
    );
  }
  return (report.Results ?? []).flatMap((result) => [
    ...(result.Vulnerabilities ?? []).map((found) => ({
      kind: 'vulnerability' as const,
      id: found.VulnerabilityID,
      severity: found.Severity,
      title: found.Title ?? found.VulnerabilityID,
      target: `${found.PkgName} ${found.InstalledVersion}`.trim(),
      ...(found.FixedVersion ? { fixedIn: found.FixedVersion } : {}),
    })),
    ...(result.Secrets ?? []).map((found) => ({
      kind: 'secret' as const,
      id: found.RuleID,
      severity: found.Severity,
      title: found.Title,
      target: found.StartLine === undefined ? result.Target : `${result.Target}:${found.StartLine}`,
    })),
    ...(result.Misconfigurations ?? [])
      .filter((found) => found.Status === 'FAIL')
      .map((found) => ({
        kind: 'misconfiguration' as const,
        id: found.ID,
        severity: found.Severity,
        title: found.Title,
        target: result.Target,
      })),
  ]);
}

/**
 * The findings that stop a release: every secret, misconfiguration of the severities asked for, and
 * vulnerabilities of those severities that have a fix.
 */
export function gate(report: ScanReport): (Finding & { platform: string })[] {
  return report.platforms.flatMap(({ platform, findings }) =>
    findings
      .filter((finding) => {
        if (finding.kind === 'secret') return true;
        const severe = report.severity.includes(finding.severity);
        return finding.kind === 'vulnerability' ? severe && finding.fixedIn !== undefined : severe;
      })
      .map((finding) => ({ ...finding, platform })),
  );
}

/**
 * @param options.allowUnchecked a rehearsal goes on with a database that is missing or stale; a release does not
 * @throws ReleaseError SCAN_GATE naming each finding; SCAN_DATA where vulnerabilities were not looked for
 */
export function assertGate(report: ScanReport, options: { allowUnchecked: boolean }): void {
  const stopped = gate(report);
  if (stopped.length > 0) {
    const lines = stopped.map((finding) => describeFinding(finding));
    throw new ReleaseError(
      'SCAN_GATE',
      `The scan found ${stopped.length} thing(s) that stop a release.`,
      'Nothing was pushed. Update what has a fix, and remove every secret (and rotate it: a deleted file stays in its layer).',
      lines,
    );
  }
  if (report.vulnerabilities.status === 'not-checked' && !options.allowUnchecked) {
    throw new ReleaseError(
      'SCAN_DATA',
      `Vulnerabilities were NOT CHECKED: ${report.vulnerabilities.reason}.`,
      'Give Trivy the network or a mirror (THOTH_TRIVY_DB), and run it again.',
    );
  }
}

/** `CRITICAL CVE-2024-1 in openssl 3.0.1, fixed in 3.0.2 (linux/arm64)`. */
export function describeFinding(finding: Finding & { platform: string }): string {
  const fixed = finding.fixedIn === undefined ? '' : `, fixed in ${finding.fixedIn}`;
  return `${finding.severity} ${finding.kind} ${finding.id} in ${finding.target}${fixed} (${finding.platform})`;
}

/** One line for a summary. Never says "clean" about what was not looked for. */
export function describeScan(report: ScanReport): string {
  const count = (kind: Finding['kind']) =>
    new Set(
      report.platforms.flatMap((platform) =>
        platform.findings
          .filter((finding) => finding.kind === kind)
          .map((finding) => `${finding.id} ${finding.target}`),
      ),
    ).size;
  const vulnerabilities =
    report.vulnerabilities.status === 'checked'
      ? `vulnerabilities: ${count('vulnerability')} (database of ${report.vulnerabilities.databaseUpdatedAt.slice(0, 10)})`
      : `vulnerabilities: NOT CHECKED (${report.vulnerabilities.reason})`;
  return `${vulnerabilities}, secrets: ${count('secret')}, misconfigurations: ${count('misconfiguration')}`;
}
