import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { LicenseCategory, Severity } from '../config/words.ts';
import type { Layout } from '../image/layout.ts';
import { writeWhole } from '../machine/file.ts';
import { together } from '../machine/together.ts';
import { Finding } from './finding.ts';
import { Ignored, type IgnoreFile } from './ignored.ts';
import { mergeSarif } from './sarif.ts';
import { Freshness, type ReadyScanner, type Scanned, type ScannedImage } from './scanner/scanner.ts';
import { fileName } from './scanner/trivy.ts';

/** What was looked at, and what was found. `vulnerabilities` says whether it was looked for at all. */
export const ScanReport = z.object({
  /** `trivy 0.74.0`, or several of them. */
  scanner: z.string(),
  severity: z.array(z.string()),
  /** Categories of licences that stop a release. */
  licenses: z.array(z.string()),
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
  /** What is wrong with the Dockerfile itself; missing where it was not looked at. */
  dockerfile: z.array(Finding).optional(),
  /** What the project's ignore file said on that day; findings are listed all the same. */
  ignored: z.array(Ignored).optional(),
  /** Entries of it whose last day was over on that day: they stop a release. */
  expired: z.array(Ignored).optional(),
});
export type ScanReport = z.infer<typeof ScanReport>;

/** What a scan is made with besides its scanners. */
export interface ScanOptions {
  readonly severity: readonly Severity[];
  readonly licenses: readonly LicenseCategory[];
  /** Text of the Dockerfile, to look into that as well. */
  readonly dockerfile?: string | undefined;
  readonly exceptions?: IgnoreFile;
  /**
   * Folder for the reports: `report.json`, `.txt` and `.sarif` of all, and each scanner's own on each platform, as
   * `linux-amd64.json`, `linux-amd64.scout.sarif`.
   */
  readonly output: string;
  readonly say?: (line: string) => void;
}

/** The reports on one platform, or on the Dockerfile. */
interface Part {
  /** `linux/amd64`, `Dockerfile`. */
  readonly about: string;
  readonly scanned: readonly Scanned[];
}

/**
 * Scans every platform of a layout, all at once, for vulnerabilities, secrets, misconfiguration and licences. Where
 * the database is missing or older than seven days, vulnerabilities are not looked for, and the report says so.
 *
 * @throws ReleaseError SCAN_FAILED, and then there is no `report.json`
 */
export async function scanLayout(
  scanners: readonly ReadyScanner[],
  layout: Layout,
  options: ScanOptions,
): Promise<ScanReport> {
  const { severity, licenses, output, dockerfile, exceptions, say } = options;
  const reportFile = join(output, 'report.json');
  await rm(reportFile, { force: true });
  say?.(layout.platforms.map((image) => image.platform).join(', '));
  const [images, file] = await together([
    together(
      layout.platforms.map(async (image) => {
        const scanned = await together(scanners.map((scanner) => scanner.scanImage(layout.dir, image)));
        return { image, scanned };
      }),
    ),
    dockerfile === undefined ? undefined : scanFile(scanners, dockerfile),
  ]);
  const platforms = images.map(({ image, scanned }) => ({
    platform: image.platform,
    digest: image.digest,
    ...merge(scanned),
  }));
  const report: ScanReport = {
    scanner: scanners.map((scanner) => scanner.name).join(', '),
    severity: [...severity],
    licenses: [...licenses],
    vulnerabilities: looked(scanners, platforms),
    platforms,
    ...(file === undefined ? {} : { dockerfile: file.flatMap((scanned) => [...scanned.findings]) }),
    ...listed('ignored', exceptions?.ignored),
    ...listed('expired', exceptions?.expired),
  };
  await writeReports(output, [
    ...images.map(({ image, scanned }) => ({ about: image.platform, scanned })),
    ...(file === undefined ? [] : [{ about: 'Dockerfile', scanned: file }]),
  ]);
  await writeWhole(reportFile, `${JSON.stringify(report, null, 2)}\n`);
  return report;
}

/** @returns what was found by those that know how to; `undefined` where none does */
async function scanFile(
  scanners: readonly ReadyScanner[],
  dockerfile: string,
): Promise<Scanned[] | undefined> {
  const able = scanners.flatMap((scanner) => scanner.scanDockerfile ?? []);
  return able.length === 0 ? undefined : together(able.map((scanDockerfile) => scanDockerfile(dockerfile)));
}

/** What several scanners found in one image; what two found and judge alike is one finding. */
function merge(scanned: readonly ScannedImage[]) {
  const findings = new Map<string, Finding>();
  for (const found of scanned.flatMap((one) => one.findings)) {
    const { kind, id, target, severity, fixedIn } = found;
    findings.set(JSON.stringify([kind, id, target, severity, fixedIn]), found);
  }
  return { packages: Math.max(0, ...scanned.map((one) => one.packages)), findings: [...findings.values()] };
}

/**
 * Whether vulnerabilities were looked for, by every scanner that is to. Where no package was found there was nothing
 * to look up, and no vulnerability means nothing.
 */
function looked(scanners: readonly ReadyScanner[], platforms: ScanReport['platforms']): Freshness {
  const empty = platforms.filter((image) => image.packages === 0).map((image) => image.platform);
  const data = scanners.flatMap((scanner) => scanner.vulnerabilities ?? []);
  const [oldest] = data.toSorted((a, b) => ageOf(a) - ageOf(b));
  if (oldest === undefined || oldest.status === 'not-checked' || empty.length === 0)
    return oldest ?? { status: 'not-checked', reason: 'no scanner looks for them' };
  return { status: 'not-checked', reason: `no packages were found in ${empty.join(', ')}` };
}

/** When a scanner's data was made, in milliseconds; what was not looked for comes before everything. */
function ageOf(data: Freshness): number {
  return data.status === 'checked' ? Date.parse(data.databaseUpdatedAt) : 0;
}

/** A property that is left out where the list is empty. */
function listed<K extends string>(name: K, entries: readonly Ignored[] = []) {
  return (entries.length === 0 ? {} : { [name]: [...entries] }) as Partial<Record<K, Ignored[]>>;
}

async function writeReports(output: string, parts: readonly Part[]): Promise<void> {
  const all = parts.flatMap(({ about, scanned }) => scanned.map((one) => ({ about, ...one })));
  for (const { about, files } of all) {
    for (const [ending, text] of Object.entries(files))
      await writeWhole(join(output, `${fileName(about)}.${ending}`), text);
  }
  const tables = all.map(({ about, table }) => `${about}\n\n${table.trim()}\n`);
  await writeWhole(join(output, 'report.txt'), tables.join('\n'));
  await writeWhole(
    join(output, 'report.sarif'),
    mergeSarif(all.map(({ about, sarif }) => [about, sarif] as const)),
  );
}
