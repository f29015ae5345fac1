import { z } from 'zod';
import { ReleaseError } from './errors.ts';
import type { PlatformImage } from './layout.ts';
import { Severity } from './settings.ts';
import { parseOutput } from './trivy.ts';

export const Finding = z.object({
  kind: z.enum(['vulnerability', 'secret', 'misconfiguration']),
  id: z.string(),
  severity: Severity,
  title: z.string(),
  /** File, package or image part it is in. */
  target: z.string(),
  /** The version that mends it, for a vulnerability that has one. */
  fixedIn: z.string().optional(),
});
export type Finding = z.infer<typeof Finding>;

const Result = z.object({
  Target: z.string(),
  Packages: z.array(z.object({ Name: z.string() })).default([]),
  Vulnerabilities: z
    .array(
      z.object({
        VulnerabilityID: z.string(),
        PkgName: z.string(),
        InstalledVersion: z.string().default(''),
        FixedVersion: z.string().optional(),
        Severity,
        Title: z.string().optional(),
      }),
    )
    .default([]),
  Secrets: z
    .array(z.object({ RuleID: z.string(), Severity, Title: z.string(), StartLine: z.number().optional() }))
    .default([]),
  Misconfigurations: z
    .array(
      z.object({
        ID: z.string(),
        Severity,
        Title: z.string().optional(),
        Status: z.enum(['FAIL', 'PASS', 'EXCEPTION']),
      }),
    )
    .default([]),
});

/** The part of Trivy's JSON report that a decision rests on. */
const TrivyReport = z.object({
  SchemaVersion: z.literal(2),
  Metadata: z.object({
    ImageID: z.string(),
    OS: z.object({ Family: z.string(), Name: z.string(), EOSL: z.boolean().default(false) }).optional(),
  }),
  Results: z.array(Result).default([]),
});

/** What one platform's report says. `packages` is how many were found, and looked up where there is a database. */
export interface PlatformFindings {
  readonly packages: number;
  readonly findings: Finding[];
}

/**
 * Reads one platform's report. Nothing in it is guessed: a severity that is not known is a fault, since it
 * would pass the gate.
 *
 * @throws ReleaseError SCAN_FAILED where the report is of another image or has another form.
 */
export function readFindings(
  json: string,
  image: Pick<PlatformImage, 'platform' | 'configDigest'>,
): PlatformFindings {
  const { Metadata, Results } = parseOutput(TrivyReport, json, `Trivy's report on ${image.platform}`);
  if (Metadata.ImageID !== image.configDigest) {
    throw new ReleaseError(
      'SCAN_FAILED',
      `Trivy scanned ${Metadata.ImageID}, and ${image.platform} is ${image.configDigest}.`,
      'Nothing was pushed. This is a fault of the pipeline: please report it.',
    );
  }
  return {
    packages: Results.reduce((sum, result) => sum + result.Packages.length, 0),
    findings: [...endOfLife(Metadata.OS), ...Results.flatMap(findingsOf)],
  };
}

/** A distribution that gets no more security updates has no fixes to ask for, so no other finding would say so. */
function endOfLife(os: { Family: string; Name: string; EOSL: boolean } | undefined): Finding[] {
  if (os?.EOSL !== true) return [];
  const target = `${os.Family} ${os.Name}`;
  const title = 'the distribution gets no more security updates';
  return [{ kind: 'misconfiguration', id: 'end-of-life', severity: 'HIGH', title, target }];
}

function findingsOf({ Target, ...result }: z.infer<typeof Result>): Finding[] {
  return [
    ...result.Vulnerabilities.map(
      (found): Finding => ({
        kind: 'vulnerability',
        id: found.VulnerabilityID,
        severity: found.Severity,
        title: found.Title ?? found.VulnerabilityID,
        target: `${found.PkgName} ${found.InstalledVersion}`.trim(),
        ...(found.FixedVersion ? { fixedIn: found.FixedVersion } : {}),
      }),
    ),
    ...result.Secrets.map(
      (found): Finding => ({
        kind: 'secret',
        id: found.RuleID,
        severity: found.Severity,
        title: found.Title,
        target: found.StartLine === undefined ? Target : `${Target}:${found.StartLine}`,
      }),
    ),
    ...result.Misconfigurations.filter((found) => found.Status === 'FAIL').map(
      (found): Finding => ({
        kind: 'misconfiguration',
        id: found.ID,
        severity: found.Severity,
        title: found.Title ?? found.ID,
        target: Target,
      }),
    ),
  ];
}

/** `CRITICAL vulnerability CVE-2024-1 in openssl 3.0.1, fixed in 3.0.2 (linux/arm64)`. */
export function describeFinding(finding: Finding & { platform: string }): string {
  const fixed = finding.fixedIn === undefined ? '' : `, fixed in ${finding.fixedIn}`;
  return `${finding.severity} ${finding.kind} ${finding.id} in ${finding.target}${fixed} (${finding.platform})`;
}
