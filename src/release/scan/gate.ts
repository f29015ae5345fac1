import { ReleaseError } from '../errors.ts';
import { describeFinding, type Finding } from './finding.ts';
import { describeExpired, isIgnored } from './ignored.ts';
import type { ScanReport } from './scan.ts';

/** A finding, and where: `linux/arm64`, or `Dockerfile`, which is about all of them. */
export type Located = Finding & { readonly platform: string };

/** Every finding of a report, with where it is. */
function findingsIn({ platforms, dockerfile = [] }: ScanReport): Located[] {
  return [
    ...platforms.flatMap(({ platform, findings }) => findings.map((found) => ({ ...found, platform }))),
    ...dockerfile.map((found) => ({ ...found, platform: 'every platform' })),
  ];
}

/** The findings that stop a release, without those that are ignored. */
export function gate(report: ScanReport): Located[] {
  return findingsIn(report).filter((found) => stops(found, report));
}

/**
 * Every secret; misconfiguration of the severities asked for; vulnerabilities of those severities that have a fix;
 * licences of the categories asked for. What a distribution ships is a work of its own, with its source to be had
 * from there: of its packages only forbidden licences count.
 */
function stops(finding: Finding, { severity, licenses, ignored = [] }: ScanReport): boolean {
  if (isIgnored(finding, ignored)) return false;
  const severe = severity.includes(finding.severity);
  switch (finding.kind) {
    case 'secret':
      return true;
    case 'misconfiguration':
      return severe;
    case 'vulnerability':
      return severe && finding.fixedIn !== undefined;
    case 'license': {
      const { category, of } = finding.license ?? { category: 'unknown', of: 'program' };
      return licenses.includes(category) && (of === 'program' || category === 'forbidden');
    }
  }
}

/**
 * @param options.allowUnchecked a rehearsal goes on with a database that is missing or stale; a release does not
 * @param options.besides what else is wrong with the image, a line each, to be named where the gate closes
 * @throws ReleaseError SCAN_GATE naming each finding and each exception that ended; SCAN_DATA where
 *   vulnerabilities were not looked for
 */
export function assertGate(
  report: ScanReport,
  options: { allowUnchecked: boolean; besides?: readonly string[] },
): void {
  const stopped = [...gate(report).map(describeFinding), ...(report.expired ?? []).map(describeExpired)];
  if (stopped.length > 0) {
    const all = [...stopped, ...(options.besides ?? [])];
    throw new ReleaseError(
      'SCAN_GATE',
      `The scan found ${all.length} thing(s) that stop a release.`,
      'Nothing was pushed. Update what has a fix, remove every secret (and rotate it: a deleted file stays in its layer), and decide anew on an exception that ended.',
      all,
    );
  }
  if (!options.allowUnchecked) assertChecked(report, options.besides);
}

/** @throws ReleaseError SCAN_DATA where vulnerabilities were not looked for */
export function assertChecked(
  { vulnerabilities }: Pick<ScanReport, 'vulnerabilities'>,
  besides: readonly string[] = [],
): void {
  if (vulnerabilities.status === 'checked') return;
  throw new ReleaseError(
    'SCAN_DATA',
    `Vulnerabilities were NOT CHECKED: ${vulnerabilities.reason}.`,
    'Give Trivy the network or a mirror (THOTH_TRIVY_DB), and run it again.',
    besides,
  );
}

/** One line for a summary. Never says "clean" about what was not looked for. */
export function describeScan(report: ScanReport): string {
  const { platforms, vulnerabilities, ignored = [], dockerfile } = report;
  /** Equal findings of two platforms are one. */
  const count = (wanted: (finding: Finding) => boolean) =>
    new Set(
      findingsIn(report)
        .filter(wanted)
        .map((finding) => `${finding.id} ${finding.target}`),
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
    `licenses to look at: ${ofKind('license')}`,
    ...(dockerfile === undefined ? ['Dockerfile: NOT CHECKED'] : []),
    ...(skipped === 0 ? [] : [`ignored of these: ${skipped}`]),
  ].join(', ');
}
