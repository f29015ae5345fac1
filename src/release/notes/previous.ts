import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseError } from '../errors.ts';
import type { Layout } from '../image/layout.ts';
import { download } from '../publish/publish.ts';
import type { Registry } from '../registry/registry.ts';
import { type ScanOptions, type ScanReport, scanLayout } from '../scan/scan.ts';
import type { ReadyScanner } from '../scan/scanner/scanner.ts';
import { compareVersions, type Version, versionOrNone } from '../versions/version.ts';

/** What is known of the release before this one. */
export interface PreviousRelease {
  readonly version: Version;
  /** Compressed bytes by platform. */
  readonly sizes: Readonly<Record<string, number>>;
  /** Both images, scanned by the same scanners with the same data; or why they were not. */
  readonly scans:
    | { readonly now: ScanReport; readonly before: ScanReport }
    | { readonly notCompared: string };
}

/** Why nothing is known of it, as a sentence. */
export interface NoPrevious {
  readonly notCompared: string;
}

export interface PreviousOptions {
  /** Opens the registry; where it can't be, that is the reason. */
  registry(): Promise<Registry>;
  readonly version: Version;
  /** Versions that git knows: they tell a first release from one whose predecessor is not in the registry. */
  readonly tagged: readonly Version[];
  readonly layout: Layout;
  /** Folder for what is downloaded and scanned, which is removed. */
  readonly scratch: string;
  readonly scan: Pick<ScanOptions, 'severity' | 'licenses'>;
  scanners(): Promise<readonly ReadyScanner[]>;
  say(line: string): void;
}

/**
 * Reads the release before this one, the highest lower stable version in the registry, and scans both: what was not
 * known when that one was released is known today, so that only a scan of today tells what this one mends.
 *
 * @throws ReleaseError INTERRUPTED, DISK; any other fault is a reason that the notes tell
 */
export async function readPrevious(options: PreviousOptions): Promise<PreviousRelease | NoPrevious> {
  const { version, tagged, say } = options;
  try {
    const registry = await options.registry();
    const previous = latestBefore(
      version,
      (await registry.tags()).flatMap((tag) => versionOrNone(tag) ?? []),
    );
    const known = latestBefore(version, tagged);
    if (previous === undefined && known === undefined) return { notCompared: 'This is the first release.' };
    if (previous === undefined) return none(`${registry.name} holds no earlier one.`);
    const digest = await registry.digestOf(previous.tag);
    if (digest === undefined) return none(`${registry.name} holds no ${previous.tag} any more.`);
    say(`downloading ${previous.tag}`);
    await mkdir(options.scratch, { recursive: true });
    const folder = await mkdtemp(join(options.scratch, 'previous-'));
    try {
      const layout = await download(registry, digest, folder);
      return {
        version: previous,
        sizes: Object.fromEntries(layout.platforms.map(({ platform, size }) => [platform, size])),
        scans: await scanBoth(options, layout, folder),
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  } catch (error) {
    return none(reasonOf(error));
  }
}

function none(reason: string): NoPrevious {
  return { notCompared: `Not compared with an earlier release: ${reason}` };
}

function latestBefore(version: Version, others: readonly Version[]): Version | undefined {
  const earlier = others.filter(
    (other) => other.prerelease.length === 0 && compareVersions(other, version) < 0,
  );
  return earlier.toSorted(compareVersions).at(-1);
}

async function scanBoth(
  options: PreviousOptions,
  previous: Layout,
  folder: string,
): Promise<PreviousRelease['scans']> {
  try {
    const scanners = await options.scanners();
    const scan = (layout: Layout, name: string) => {
      options.say(`scanning ${name} image`);
      return scanLayout(scanners, layout, { ...options.scan, output: join(folder, name) });
    };
    return { before: await scan(previous, 'its'), now: await scan(options.layout, 'this') };
  } catch (error) {
    return { notCompared: reasonOf(error) };
  }
}

/** What the notes say of a fault. @throws it, where it is about this run and not about the release before */
function reasonOf(error: unknown): string {
  if (!(error instanceof ReleaseError) || error.code === 'INTERRUPTED' || error.code === 'DISK') throw error;
  return error.message;
}
