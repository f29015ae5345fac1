import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { run, runOk, tail } from './command.ts';
import { ReleaseError } from './errors.ts';
import type { PlatformImage } from './layout.ts';

/** Flags of every call: nothing is sent home, and only {@link updateDatabase} goes to the network. */
const QUIET = ['--quiet', '--disable-telemetry', '--skip-version-check'];

const TrivyVersion = z.object({
  Version: z.string(),
  VulnerabilityDB: z.object({ UpdatedAt: z.string(), DownloadedAt: z.string().optional() }).optional(),
});

/** The scanner, its cache, and where its database comes from. */
export interface Trivy {
  readonly program: string;
  readonly cache: string;
  readonly dbRepository?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Version of Trivy, and when its vulnerability database was made; `undefined` where there is none. */
export async function trivyVersion(
  trivy: Trivy,
): Promise<{ version: string; databaseUpdatedAt: Date | undefined }> {
  const result = await runOk(
    trivy.program,
    ['version', '--format', 'json', '--cache-dir', trivy.cache],
    { signal: trivy.signal },
    scanFailed,
  );
  const parsed = TrivyVersion.parse(JSON.parse(result.stdout));
  const updated = parsed.VulnerabilityDB?.UpdatedAt;
  return {
    version: parsed.Version,
    databaseUpdatedAt: updated === undefined ? undefined : new Date(updated),
  };
}

/** Tries to bring the database up to date. @returns why it could not, or `undefined`. */
export async function updateDatabase(trivy: Trivy): Promise<string | undefined> {
  const repository = trivy.dbRepository === undefined ? [] : ['--db-repository', trivy.dbRepository];
  const result = await run(
    trivy.program,
    [
      'image',
      '--download-db-only',
      '--no-progress',
      '--disable-telemetry',
      '--skip-version-check',
      '--cache-dir',
      trivy.cache,
      ...repository,
    ],
    { signal: trivy.signal, timeout: 120_000 },
  );
  if (result.exitCode === 0) return undefined;
  const reason = /(?:dial tcp|lookup|denied|timeout|TLS|certificate|DB error|no such host).*$/m.exec(
    result.stderr.trim().split('\n').at(-1) ?? '',
  );
  return reason?.[0] ?? tail(result, 1)[0] ?? 'the download failed';
}

/**
 * Runs `trivy image` on one platform and returns what it wrote on standard output.
 *
 * Trivy takes the first manifest of a layout it is given and does not read `--platform` there (measured
 * with 0.74.0), so it is handed a view of the layout with one manifest: the same blobs, by a link.
 */
export async function trivyImage(
  trivy: Trivy,
  layout: string,
  image: PlatformImage,
  args: readonly string[],
): Promise<string> {
  const view = await mkdtemp(join(tmpdir(), 'thoth-scan-'));
  try {
    const manifest = { schemaVersion: 2, manifests: [{ ...image.manifest, platform: undefined }] };
    await writeFile(join(view, 'index.json'), JSON.stringify(manifest));
    await writeFile(join(view, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await symlink(resolve(layout, 'blobs'), join(view, 'blobs'));
    await mkdir(trivy.cache, { recursive: true });
    const all = ['image', '--input', view, '--cache-dir', trivy.cache, ...QUIET, ...args];
    return (await runOk(trivy.program, all, { signal: trivy.signal }, scanFailed)).stdout;
  } finally {
    await rm(view, { recursive: true, force: true });
  }
}

/** Converts a Trivy JSON report: `table` or `sarif`. */
export async function trivyConvert(
  trivy: Trivy,
  report: string,
  format: 'table' | 'sarif',
  output: string,
): Promise<void> {
  await runOk(
    trivy.program,
    ['convert', '--format', format, '--output', output, ...QUIET, report],
    { signal: trivy.signal },
    scanFailed,
  );
}

function scanFailed(result: Parameters<typeof tail>[0]): ReleaseError {
  return new ReleaseError(
    'SCAN_FAILED',
    'Trivy could not scan the image.',
    'Nothing was pushed. Read the lines it printed.',
    tail(result),
  );
}
