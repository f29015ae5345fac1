import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { writeWhole } from './file.ts';
import type { PlatformImage } from './layout.ts';
import { fileName, type Scanner, scanOptions, type Trivy, trivyImage } from './trivy.ts';

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

/**
 * Trivy's JSON report on one platform of a layout: kept, one a platform, until the image, the scanner, the
 * options or the database are others. Scanning is the slow part of a release that is rehearsed again.
 */
export async function imageReport(
  trivy: Trivy,
  scanner: Scanner,
  layout: string,
  image: PlatformImage,
  vulnerabilities: 'checked' | 'not-checked',
): Promise<string> {
  const wanted = {
    digest: image.digest,
    build: scanner.build,
    options: [...scanOptions(vulnerabilities)],
    database: vulnerabilities === 'checked' ? (scanner.databaseUpdatedAt?.toISOString() ?? null) : null,
  };
  const { report, ...kept } = (await readKept(trivy, image)) ?? {};
  if (report !== undefined && isDeepStrictEqual(kept, wanted)) return report;
  const made = await trivyImage(trivy, layout, image, wanted.options);
  await writeWhole(keptAt(trivy, image), JSON.stringify({ ...wanted, report: made } satisfies Kept));
  return made;
}

/** The same, where only the packages in it matter: whichever report is kept of this image and scanner will do. */
export async function packageReport(
  trivy: Trivy,
  scanner: Scanner,
  layout: string,
  image: PlatformImage,
): Promise<string> {
  const kept = await readKept(trivy, image);
  if (kept?.digest === image.digest && kept.build === scanner.build) return kept.report;
  return imageReport(trivy, scanner, layout, image, 'not-checked');
}

function keptAt(trivy: Trivy, image: PlatformImage): string {
  return join(trivy.cache, 'reports', `${fileName(image.platform)}.json`);
}

/** What is kept, or nothing: one that can't be read is made anew. */
async function readKept(trivy: Trivy, image: PlatformImage): Promise<Kept | undefined> {
  try {
    return Kept.parse(JSON.parse(await readFile(keptAt(trivy, image), 'utf8')));
  } catch {
    return undefined;
  }
}
