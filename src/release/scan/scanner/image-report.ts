import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import type { PlatformImage } from '../../image/layout.ts';
import { writeWhole } from '../../machine/file.ts';
import { together } from '../../machine/together.ts';
import { keepNewest } from './kept-output.ts';
import { findNode, nodeResult } from './node-runtime.ts';
import { fileName, parseOutput, scanOptions, type Trivy, type TrivyBuild, trivyImage } from './trivy.ts';

/** All that a report follows from, and the report. */
const Kept = z.object({
  /** Of the platform's manifest. */
  digest: z.string(),
  /** Of the scanner. */
  build: z.string(),
  options: z.array(z.string()),
  /** When the vulnerability database was made, where it was used. */
  database: z.string().nullable(),
  report: z.string(),
});
type Kept = z.infer<typeof Kept>;

/** Reports that are kept: of both platforms of this release, of the one before it, and as many again. */
const KEPT = 8;
const WithResults = z.looseObject({ Results: z.array(z.unknown()).default([]) });

/**
 * Trivy's JSON report on one platform of a layout, with Node.js as one result more. It is kept until the scanner,
 * the options or the database are others: scanning is the slow part of a release that is rehearsed again.
 */
export async function imageReport(
  trivy: Trivy,
  build: TrivyBuild,
  layout: string,
  image: PlatformImage,
  vulnerabilities: 'checked' | 'not-checked',
): Promise<string> {
  const wanted = {
    digest: image.digest,
    build: build.build,
    options: [...scanOptions(vulnerabilities)],
    database: vulnerabilities === 'checked' ? (build.databaseUpdatedAt?.toISOString() ?? null) : null,
  };
  const { report, ...kept } = (await readKept(trivy, image)) ?? {};
  if (report !== undefined && isDeepStrictEqual(kept, wanted)) return report;
  const [json, node] = await together([
    trivyImage(trivy, layout, image, wanted.options),
    findNode(layout, image),
  ]);
  const made = node === undefined ? json : withResult(json, await nodeResult(trivy, node, vulnerabilities));
  await writeWhole(keptAt(trivy, image), JSON.stringify({ ...wanted, report: made } satisfies Kept));
  await keepNewest(keptIn(trivy), KEPT);
  return made;
}

function withResult(json: string, result: unknown): string {
  const report = parseOutput(WithResults, json, "Trivy's report");
  return JSON.stringify({ ...report, Results: [...report.Results, result] });
}

/** The same, where only the packages in it matter: whichever report is kept of this image and scanner will do. */
export async function packageReport(
  trivy: Trivy,
  build: TrivyBuild,
  layout: string,
  image: PlatformImage,
): Promise<string> {
  const kept = await readKept(trivy, image);
  if (kept?.digest === image.digest && kept.build === build.build) return kept.report;
  return imageReport(trivy, build, layout, image, 'not-checked');
}

function keptIn(trivy: Trivy): string {
  return join(trivy.cache, 'reports');
}

function keptAt(trivy: Trivy, image: PlatformImage): string {
  return join(keptIn(trivy), `${fileName(image.platform)}-${image.digest.slice(-12)}.json`);
}

/** What is kept, or nothing: one that can't be read is made anew. */
async function readKept(trivy: Trivy, image: PlatformImage): Promise<Kept | undefined> {
  try {
    return Kept.parse(JSON.parse(await readFile(keptAt(trivy, image), 'utf8')));
  } catch {
    return undefined;
  }
}
