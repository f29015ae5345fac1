import { z } from 'zod';
import { LicenseCategory, Severity } from '../../config/words.ts';
import { ReleaseError } from '../../errors.ts';
import type { PlatformImage } from '../../image/layout.ts';
import type { Finding } from '../finding.ts';
import { parseOutput } from './trivy.ts';

/** What Trivy calls the licences of a distribution's packages. */
const OS_PACKAGES = 'OS Packages';

const Result = z.object({
  Target: z.string(),
  Class: z.string().optional(),
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
        CauseMetadata: z.object({ StartLine: z.number().optional() }).optional(),
      }),
    )
    .default([]),
  Licenses: z
    .array(z.object({ Name: z.string(), PkgName: z.string(), Severity, Category: LicenseCategory }))
    .default([]),
});
type Result = z.infer<typeof Result>;

/** The part of Trivy's JSON report on an image that a decision rests on. */
const ImageReport = z.object({
  SchemaVersion: z.literal(2),
  Metadata: z.object({
    ImageID: z.string(),
    OS: z.object({ Family: z.string(), Name: z.string(), EOSL: z.boolean().default(false) }).optional(),
  }),
  Results: z.array(Result).default([]),
});

/** The part of its report on a Dockerfile. */
const DockerfileReport = z.object({
  SchemaVersion: z.literal(2),
  Results: z.array(Result.extend({ Type: z.literal('dockerfile') })).length(1),
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
  const { Metadata, Results } = parseOutput(ImageReport, json, `Trivy's report on ${image.platform}`);
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

/**
 * Reads the report on a Dockerfile.
 *
 * @throws ReleaseError SCAN_FAILED where it has another form, as where Trivy did not take the file for a Dockerfile
 */
export function readDockerfileFindings(json: string): Finding[] {
  return parseOutput(DockerfileReport, json, "Trivy's report on the Dockerfile").Results.flatMap(findingsOf);
}

function findingsOf(result: Result): Finding[] {
  const { Target } = result;
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
        target: at(Target, found.StartLine),
      }),
    ),
    ...result.Misconfigurations.filter((found) => found.Status === 'FAIL').map(
      (found): Finding => ({
        kind: 'misconfiguration',
        id: found.ID,
        severity: found.Severity,
        title: found.Title ?? found.ID,
        target: at(Target, found.CauseMetadata?.StartLine),
      }),
    ),
    ...licenses(result),
  ];
}

/**
 * Licences that ask for something: what only asks to be named is in licenses.txt and in the SBOM. A distribution
 * names licences by words of its own, so that unknown ones say nothing there.
 */
function licenses({ Target, Licenses }: Result): Finding[] {
  const of = Target === OS_PACKAGES ? 'distribution' : 'program';
  const asking: readonly string[] =
    of === 'program' ? ['forbidden', 'restricted', 'reciprocal', 'unknown'] : ['forbidden', 'restricted'];
  return Licenses.filter((found) => asking.includes(found.Category)).map((found) => ({
    kind: 'license',
    id: found.Name,
    severity: found.Severity,
    title: `a ${found.Category} licence`,
    target: found.PkgName,
    license: { category: found.Category, of },
  }));
}

function at(target: string, line: number | undefined): string {
  return line === undefined ? target : `${target}:${line}`;
}
