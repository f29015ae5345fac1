import { megabytes } from '../image/megabytes.ts';
import type { Plan } from '../publish/plan.ts';
import type { Finding } from '../scan/finding.ts';
import { describeScan } from '../scan/gate.ts';
import { describeSigning } from '../signing/signing.ts';

/** What a release came to: `summary.json`. Sizes are bytes, times seconds. */
export interface Summary {
  readonly version: string;
  readonly registry: string;
  readonly rehearsal: boolean;
  readonly index: string;
  /** The Helm chart, with its digest: `marcopancotti/thoth-chart:1.0.0 sha256:…`. */
  readonly chart?: string;
  /** A row a tag and platform. */
  readonly rows: readonly SummaryRow[];
  /** The scan in one line; it says so where vulnerabilities were not looked for. */
  readonly scan: string;
  /** Who signed. */
  readonly signedBy: string;
  readonly stages: Readonly<Record<string, number>>;
  readonly seconds: number;
}

export interface SummaryRow {
  readonly tag: string;
  readonly platform: string;
  readonly digest: string;
  readonly size: number;
  readonly startSeconds: number;
  readonly findings: Readonly<Record<Finding['kind'], number | 'not checked'>>;
}

/**
 * Sums a release up from its plan.
 *
 * @param stages seconds of each; some ran side by side
 * @param seconds of all, by the clock
 */
export function summarize(plan: Plan, stages: ReadonlyMap<string, number>, seconds: number): Summary {
  const { made } = plan;
  const rows = plan.moves.flatMap(({ tag }) =>
    (made?.platforms ?? []).map(({ platform, digest, size, start }) => ({
      tag,
      platform,
      digest,
      size,
      startSeconds: start.seconds,
      findings: countFindings(plan, platform),
    })),
  );
  return {
    version: plan.version,
    registry: `${plan.registry}/${plan.repository}`,
    rehearsal: plan.rehearsal,
    index: plan.index,
    ...(plan.chart === undefined
      ? {}
      : { chart: `${plan.chart.repository}:${plan.chart.move.tag} ${plan.chart.move.to}` }),
    rows,
    scan: made === undefined ? '' : describeScan(made.scan),
    signedBy: plan.signing === undefined ? '' : describeSigning(plan.signing),
    stages: Object.fromEntries(stages),
    seconds: Math.round(seconds * 10) / 10,
  };
}

/** The summary as tables for a terminal. */
export function describeSummary(summary: Summary): string {
  const rows = summary.rows.map((row) => [
    row.tag,
    row.platform,
    row.digest.slice(0, 19),
    `${megabytes(row.size)} MB`,
    `${row.startSeconds.toFixed(1)} s`,
    describeCounts(row.findings),
  ]);
  const stages = Object.entries(summary.stages).map(([stage, seconds]) => [stage, `${seconds.toFixed(1)} s`]);
  return [
    `${summary.version} in ${summary.registry}${summary.rehearsal ? ' (a rehearsal)' : ''}`,
    `index ${summary.index}`,
    ...(summary.chart === undefined ? [] : [`chart ${summary.chart}`]),
    '',
    ...table([['tag', 'platform', 'digest', 'size', 'start', 'findings'], ...rows]),
    '',
    summary.scan,
    `signed by ${summary.signedBy}`,
    '',
    ...table([['stage', 'time'], ...stages, ['all', `${summary.seconds.toFixed(1)} s`]]),
  ].join('\n');
}

function countFindings(plan: Plan, platform: string): SummaryRow['findings'] {
  const scan = plan.made?.scan;
  const findings = scan?.platforms.find((entry) => entry.platform === platform)?.findings ?? [];
  const count = (kind: Finding['kind']) => findings.filter((finding) => finding.kind === kind).length;
  return {
    vulnerability: scan?.vulnerabilities.status === 'checked' ? count('vulnerability') : 'not checked',
    secret: count('secret'),
    misconfiguration: count('misconfiguration'),
    license: count('license'),
  };
}

function describeCounts(findings: SummaryRow['findings']): string {
  const vulnerabilities =
    findings.vulnerability === 'not checked' ? 'vuln. NOT CHECKED' : `${findings.vulnerability} vuln.`;
  return `${vulnerabilities}, ${findings.secret} secret, ${findings.misconfiguration} misconf., ${findings.license} lic.`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? '').length)),
  );
  return rows.map((row) =>
    `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd(),
  );
}
