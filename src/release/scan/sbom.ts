import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256 } from '../image/digest.ts';
import type { Layout, PlatformImage } from '../image/layout.ts';
import { writeWhole } from '../machine/file.ts';
import { packageReport } from './scanner/image-report.ts';
import { convert } from './scanner/kept-output.ts';
import { fileName, parseOutput, readBuild, type Trivy } from './scanner/trivy.ts';

const UUIDS = /\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g;
const UUID = new RegExp(`^${UUIDS.source}$`);

/** The forms an SBOM is written in. */
export const SBOM_FORMS = ['cyclonedx', 'spdx'] as const;
export type SbomForm = (typeof SBOM_FORMS)[number];

/** What is changed in Trivy's report before an SBOM is made of it. */
const Report = z.looseObject({
  Metadata: z.looseObject({}),
  Results: z.array(z.looseObject({})).default([]),
});

const Component = z.looseObject({ 'bom-ref': z.string() });
const CycloneDx = z.looseObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.string(),
  serialNumber: z.string(),
  metadata: z.looseObject({ timestamp: z.string(), component: Component }),
  components: z.array(Component).default([]),
  dependencies: z.array(z.looseObject({ ref: z.string(), dependsOn: z.array(z.string()).default([]) })),
});
const Spdx = z.looseObject({
  spdxVersion: z.string(),
  documentNamespace: z.string(),
  creationInfo: z.looseObject({ created: z.string() }),
});

/**
 * Writes the SBOM of every platform: `linux-amd64.cdx.json` (CycloneDX), `linux-amd64.spdx.json` (SPDX), made
 * from the scanner's own report on it. One image has one SBOM, to the byte: made again, it is the same.
 *
 * @param repository what the image is named in it, besides its digest: `docker.io/marcopancotti/thoth`
 * @returns the paths written
 */
export async function writeSboms(
  trivy: Trivy,
  layout: Layout,
  output: string,
  repository?: string,
): Promise<string[]> {
  const build = await readBuild(trivy);
  const paths = await Promise.all(
    layout.platforms.map(async (image) => {
      const report = packagesOf(await packageReport(trivy, build, layout.dir, image), image, repository);
      const files = sbomFiles(output, image.platform);
      const [cyclonedx, spdx] = await Promise.all([
        convert(trivy, build, report, 'cyclonedx'),
        convert(trivy, build, report, 'spdx-json'),
      ]);
      await writeWhole(files.cyclonedx, settleCycloneDx(cyclonedx, image));
      await writeWhole(files.spdx, settleSpdx(spdx, image));
      return [files.cyclonedx, files.spdx];
    }),
  );
  return paths.flat();
}

/** Where a platform's SBOMs are in the folder they were written to. */
export function sbomFiles(folder: string, platform: string): Record<SbomForm, string> {
  const base = join(folder, fileName(platform));
  return { cyclonedx: `${base}.cdx.json`, spdx: `${base}.spdx.json` };
}

/** The SHA-256 of each SBOM of those platforms, in hex; platforms that lack one are left out. */
export async function sbomDigests(folder: string, platforms: readonly string[]) {
  const digests: ({ platform: string } & Record<SbomForm, string>)[] = [];
  for (const platform of platforms) {
    const { cyclonedx, spdx } = sbomFiles(folder, platform);
    if (!existsSync(cyclonedx) || !existsSync(spdx)) continue;
    const hash = async (path: string) => sha256(await readFile(path));
    digests.push({ platform, cyclonedx: await hash(cyclonedx), spdx: await hash(spdx) });
  }
  return digests;
}

/** The report with the image's name in it, and without findings: those change from one day to the next. */
function packagesOf(json: string, image: PlatformImage, repository: string | undefined): string {
  const report = parseOutput(Report, json, `Trivy's report on ${image.platform}`);
  const name = `${repository ?? image.annotations['org.opencontainers.image.title'] ?? 'image'}@${image.digest}`;
  const metadata = { ...report.Metadata, ...(repository === undefined ? {} : { RepoDigests: [name] }) };
  const none = {
    Vulnerabilities: undefined,
    Secrets: undefined,
    Misconfigurations: undefined,
    Licenses: undefined,
  };
  const results = report.Results.map((result) => ({ ...result, ...none }));
  return JSON.stringify({ ...report, ArtifactName: name, Metadata: metadata, Results: results });
}

/** Names by content what Trivy names by chance, and puts it in that order; the time is the image's. */
function settleCycloneDx(json: string, image: PlatformImage): string {
  const what = `the SBOM of ${image.platform}`;
  const made = parseOutput(CycloneDx, json, what);
  const names = new Map([[made.serialNumber.replace('urn:uuid:', ''), uuidOf(image.digest)]]);
  for (const { 'bom-ref': ref, ...content } of [made.metadata.component, ...made.components]) {
    // Two that are equal are told apart by their number.
    if (UUID.test(ref)) names.set(ref, uuidOf(image.digest, JSON.stringify(content), names.size));
  }
  const text = json
    .replaceAll(made.metadata.timestamp, timeOf(image))
    .replaceAll(UUIDS, (uuid) => names.get(uuid) ?? uuid);
  const bom = parseOutput(CycloneDx, text, what);
  bom.components.sort((a, b) => order(a['bom-ref'], b['bom-ref']));
  bom.dependencies.sort((a, b) => order(a.ref, b.ref));
  for (const { dependsOn } of bom.dependencies) dependsOn.sort(order);
  return `${JSON.stringify(bom, null, 2)}\n`;
}

function settleSpdx(json: string, image: PlatformImage): string {
  const { creationInfo } = parseOutput(Spdx, json, `the SBOM of ${image.platform}`);
  return json.replaceAll(creationInfo.created, timeOf(image)).replaceAll(UUIDS, uuidOf(image.digest));
}

/** Whole seconds, as SPDX asks for (SPDX 2.3, section 6.9). */
function timeOf(image: PlatformImage): string {
  return `${new Date(image.config.created ?? 0).toISOString().slice(0, 19)}Z`;
}

/** A UUID that follows from its parts alone (RFC 9562, version 8). */
function uuidOf(...parts: readonly (string | number)[]): string {
  const hex = sha256(JSON.stringify(parts));
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(12, 15)}`,
    `8${hex.slice(15, 18)}`,
    hex.slice(18, 30),
  ].join('-');
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
