import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from './errors.ts';
import { writeWhole } from './file.ts';
import { describeFinding, Finding, readFindings } from './finding.ts';
import { describeExpired, Ignored, type IgnoreFile, isIgnored } from './ignored.ts';
import { imageReport } from './image-report.ts';
import type { Layout } from './layout.ts';
import type { Severity } from './settings.ts';
import { fileName, readScanner, type Trivy, trivyConvert } from './trivy.ts';
import { Freshness, freshness, updateDatabase } from './vulnerability-database.ts';

export { Finding } from './finding.ts';

/** What was looked at, and what was found. `vulnerabilities` says whether it was looked for at all. */
export const ScanReport = z.object({
  scanner: z.string(),
  severity: z.array(z.string()),
  vulnerabilities: Freshness,
  platforms: z.array(
    z.object({
      platform: z.string(),
      digest: z.string(),
      /** How many packages were found in it: what vulnerabilities are looked up for. */
      packages: z.int(),
      findings: z.array(Finding),
    }),
  ),
  /** What the project's ignore file said on that day; findings are listed all the same. */
  ignored: z.array(Ignored).optional(),
  /** Entries of it whose last day was over on that day: they stop a release. */
  expired: z.array(Ignored).optional(),
});
export type ScanReport = z.infer<typeof ScanReport>;

/**
 * Scans every platform of a layout, all at once, for vulnerabilities, secrets and misconfiguration. Where the
 * database is missing or older than seven days, vulnerabilities are not looked for, and the report says so.
 *
 * @param options.output folder for Trivy's own reports: `linux-amd64.json`, `.txt`, `.sarif`, and `report.json`
 * @throws ReleaseError SCAN_FAILED, and then there is no `report.json`
 */
export async function scanLayout(
  trivy: Trivy,
  layout: Layout,
  options: {
    severity: readonly Severity[];
    output: string;
    now: Date;
    exceptions?: IgnoreFile;
    say?: (line: string) => void;
  },
): Promise<ScanReport> {
  const { severity, output, now, exceptions, say } = options;
  const reportFile = join(output, 'report.json');
  await rm(reportFile, { force: true });
  say?.('updating the vulnerability database');
  const problem = await updateDatabase(trivy);
  const scanner = await readScanner(trivy);
  const database = freshness(scanner.databaseUpdatedAt, now, problem);
  say?.(layout.platforms.map((image) => image.platform).join(', '));
  const platforms = await Promise.all(
    layout.platforms.map(async (image) => {
      const json = await imageReport(trivy, scanner, layout.dir, image, database.status);
      const found = readFindings(json, image);
      const base = join(output, fileName(image.platform));
      await writeWhole(`${base}.json`, json);
      await writeWhole(`${base}.txt`, await trivyConvert(trivy, json, 'table', database.status));
      await writeWhole(`${base}.sarif`, await trivyConvert(trivy, json, 'sarif'));
      return { platform: image.platform, digest: image.digest, ...found };
    }),
  );
  const vulnerabilities = looked(database, platforms);
  const report = {
    scanner: `trivy ${scanner.version}`,
    severity: [...severity],
    vulnerabilities,
    platforms,
    ...listed('ignored', exceptions?.ignored),
    ...listed('expired', exceptions?.expired),
  };
  await writeWhole(reportFile, `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** A property that is left out where the list is empty. */
function listed<K extends string>(name: K, entries: readonly Ignored[] = []) {
  return (entries.length === 0 ? {} : { [name]: [...entries] }) as Partial<Record<K, Ignored[]>>;
}

/** Where no package was found there was nothing to look up, and no vulnerability means nothing. */
function looked(database: Freshness, platforms: ScanReport['platforms']) {
  const empty = platforms.filter((image) => image.packages === 0).map((image) => image.platform);
  if (database.status === 'not-checked' || empty.length === 0) return database;
  return { status: 'not-checked' as const, reason: `no packages were found in ${empty.join(', ')}` };
}

/**
 * The findings that stop a release: every secret, misconfiguration of the severities asked for, and
 * vulnerabilities of those severities that have a fix; without those that are ignored.
 */
export function gate(report: ScanReport): (Finding & { platform: string })[] {
  const stops = (finding: Finding) => {
    if (isIgnored(finding, report.ignored ?? [])) return false;
    if (finding.kind === 'secret') return true;
    const severe = report.severity.includes(finding.severity);
    return severe && (finding.kind !== 'vulnerability' || finding.fixedIn !== undefined);
  };
  return report.platforms.flatMap(({ platform, findings }) =>
    findings.filter(stops).map((finding) => ({ ...finding, platform })),
  );
}

/**
 * @param options.allowUnchecked a rehearsal goes on with a database that is missing or stale; a release does not
 * @throws ReleaseError SCAN_GATE naming each finding and each exception that ended; SCAN_DATA where vulnerabilities were not looked for
 */
export function assertGate(report: ScanReport, options: { allowUnchecked: boolean }): void {
  const stopped = [...gate(report).map(describeFinding), ...(report.expired ?? []).map(describeExpired)];
  if (stopped.length > 0) {
    throw new ReleaseError(
      'SCAN_GATE',
      `The scan found ${stopped.length} thing(s) that stop a release.`,
      'Nothing was pushed. Update what has a fix, remove every secret (and rotate it: a deleted file stays in its layer), and decide anew on an exception that ended.',
      stopped,
    );
  }
  if (!options.allowUnchecked) assertChecked(report);
}

/** @throws ReleaseError SCAN_DATA where vulnerabilities were not looked for */
export function assertChecked({ vulnerabilities }: Pick<ScanReport, 'vulnerabilities'>): void {
  if (vulnerabilities.status === 'checked') return;
  throw new ReleaseError(
    'SCAN_DATA',
    `Vulnerabilities were NOT CHECKED: ${vulnerabilities.reason}.`,
    'Give Trivy the network or a mirror (THOTH_TRIVY_DB), and run it again.',
  );
}

/** One line for a summary. Never says "clean" about what was not looked for. */
export function describeScan(report: ScanReport): string {
  const { platforms, vulnerabilities, ignored = [] } = report;
  /** Equal findings of two platforms are one. */
  const count = (wanted: (finding: Finding) => boolean) =>
    new Set(
      platforms.flatMap(({ findings }) =>
        findings.filter(wanted).map((finding) => `${finding.id} ${finding.target}`),
      ),
    ).size;
  const ofKind = (kind: Finding['kind']) => count((finding) => finding.kind === kind);
  const packages = Math.max(0, ...platforms.map((platform) => platform.packages));
  const looked =
    vulnerabilities.status === 'checked'
      ? `${ofKind('vulnerability')} in ${packages} packages (database of ${vulnerabilities.databaseUpdatedAt.slice(0, 10)})`
      : `NOT CHECKED (${vulnerabilities.reason})`;
  const skipped = count((finding) => isIgnored(finding, ignored));
  return [
    `vulnerabilities: ${looked}`,
    `secrets: ${ofKind('secret')}`,
    `misconfigurations: ${ofKind('misconfiguration')}`,
    ...(skipped === 0 ? [] : [`ignored of these: ${skipped}`]),
  ].join(', ');
}
