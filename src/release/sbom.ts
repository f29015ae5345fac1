import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layout } from './layout.ts';
import { type Trivy, trivyImage } from './trivy.ts';

/** SBOM formats, by the ending of the file each is written to. */
const FORMATS = { 'cdx.json': 'cyclonedx', 'spdx.json': 'spdx-json' } as const;

/**
 * Writes the SBOM of every platform: `linux-amd64.cdx.json` (CycloneDX), `linux-amd64.spdx.json` (SPDX).
 *
 * @returns the paths written
 */
export async function writeSboms(trivy: Trivy, layout: Layout, output: string): Promise<string[]> {
  await mkdir(output, { recursive: true });
  const paths: string[] = [];
  for (const image of layout.platforms) {
    for (const [ending, format] of Object.entries(FORMATS)) {
      const path = join(output, `${image.platform.replace('/', '-')}.${ending}`);
      await writeFile(
        path,
        await trivyImage(trivy, layout.dir, image, [
          '--format',
          format,
          '--offline-scan',
          '--skip-java-db-update',
        ]),
      );
      paths.push(path);
    }
  }
  return paths;
}
