import { z } from 'zod';
import type { PlatformImage } from '../../image/layout.ts';
import type { Finding } from '../finding.ts';

/** Whether vulnerabilities are looked for, and by data of when; or why not. */
export const Freshness = z.discriminatedUnion('status', [
  z.object({ status: z.literal('checked'), databaseUpdatedAt: z.string() }),
  z.object({ status: z.literal('not-checked'), reason: z.string() }),
]);
export type Freshness = z.infer<typeof Freshness>;

/** What looks into images: Trivy, Docker Scout. */
export interface Scanner {
  /**
   * Brings its data up to date. What it returns keeps to that data, so that two images are measured by the same.
   *
   * @throws ReleaseError SCAN_FAILED where it can't be used at all
   */
  prepare(now: Date): Promise<ReadyScanner>;
}

/** A scanner with its data at hand. */
export interface ReadyScanner {
  /** `trivy 0.74.0`. */
  readonly name: string;
  /** Whether it looks for vulnerabilities; `undefined` where that is left to another scanner. */
  readonly vulnerabilities: Freshness | undefined;
  /** Looks into one platform of the layout at `layout`. @throws ReleaseError SCAN_FAILED */
  scanImage(layout: string, image: PlatformImage): Promise<ScannedImage>;
  /** Looks into a Dockerfile, where it knows how to. @throws ReleaseError SCAN_FAILED */
  scanDockerfile?(text: string): Promise<Scanned>;
}

/** What was found, and the scanner's own words on it. */
export interface Scanned {
  readonly findings: readonly Finding[];
  /** For people. */
  readonly table: string;
  /** SARIF 2.1.0. */
  readonly sarif: string;
  /** Further reports to keep, by the end of the file's name: `json`. */
  readonly files: Readonly<Record<string, string>>;
}

export interface ScannedImage extends Scanned {
  /** How many packages were found in it: what vulnerabilities are looked up for. */
  readonly packages: number;
}
