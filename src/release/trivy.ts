import { mkdir, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { type CommandResult, runOk, tail } from './command.ts';
import { ReleaseError } from './errors.ts';
import type { PlatformImage } from './layout.ts';

/** Nothing is sent home. */
export const SILENT = ['--disable-telemetry', '--skip-version-check'];
/** How an image is scanned: without the network. */
const SCAN = [
  ...['--format', 'json', '--list-all-pkgs', '--image-config-scanners', 'misconfig,secret', '--quiet'],
  ...['--offline-scan', '--skip-db-update', '--skip-java-db-update', '--skip-check-update'],
  ...['--skip-vex-repo-update', ...SILENT],
];
/** The scanners by what is looked for, as Trivy names them. */
const SCANNERS = { 'not-checked': 'secret,misconfig', checked: 'vuln,secret,misconfig' } as const;
const TrivyVersion = z.object({
  Version: z.string(),
  VulnerabilityDB: z.object({ UpdatedAt: z.coerce.date() }).optional(),
});

/** A report as it may be shown: of the image's config without the environment and history, which can hold secrets. */
const Published = z.looseObject({
  Metadata: z.looseObject({
    ImageConfig: z.object({
      architecture: z.string(),
      os: z.string(),
      created: z.string().optional(),
      config: z.object({ Labels: z.record(z.string(), z.string()).nullish() }),
    }),
  }),
});

/** The scanner, its cache, and where its database comes from. Paths are absolute. */
export interface Trivy {
  readonly program: string;
  readonly cache: string;
  readonly dbRepository?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** What a scan is made with. */
export interface Scanner {
  readonly version: string;
  /** Tells two builds of the program apart, whatever they say of themselves. */
  readonly build: string;
  /** When its vulnerability database was made; `undefined` where there is none. */
  readonly databaseUpdatedAt: Date | undefined;
}

/** @throws ReleaseError SCAN_FAILED where the program does not say what it is */
export async function readScanner(trivy: Trivy): Promise<Scanner> {
  const args = ['version', '--format', 'json', '--cache-dir', trivy.cache];
  const result = await runOk(
    trivy.program,
    args,
    { signal: trivy.signal, env: withoutSettings() },
    scanFailed,
  );
  const { Version, VulnerabilityDB } = parseOutput(TrivyVersion, result.stdout, "Trivy's version");
  const { size, mtimeMs } = await stat(trivy.program);
  return {
    version: Version,
    build: `${Version} ${size} ${mtimeMs}`,
    databaseUpdatedAt: VulnerabilityDB?.UpdatedAt,
  };
}

/** Options of a scan with vulnerabilities looked for, or without. */
export function scanOptions(vulnerabilities: keyof typeof SCANNERS): readonly string[] {
  return ['--scanners', SCANNERS[vulnerabilities], ...SCAN];
}

/**
 * Runs `trivy image` on one platform and returns its JSON report.
 *
 * Trivy takes the first manifest of a layout it is given and does not read `--platform` there (measured
 * with 0.74.0), so it is handed a view of the layout with one manifest: the same blobs, by a link. It works
 * in that view's folder and without `TRIVY_*` variables: a `.trivyignore`, a `trivy.yaml` or a variable that
 * lies around must not hide anything. Its analysis is kept in memory, so that several can run at once.
 *
 * @param options those of {@link scanOptions}
 */
export async function trivyImage(
  trivy: Trivy,
  layout: string,
  image: PlatformImage,
  options: readonly string[],
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'thoth-scan-'));
  try {
    // The name is in every finding, which is the same on each platform.
    const view = join(folder, 'image');
    await mkdir(view);
    const manifest = { schemaVersion: 2, manifests: [image.manifest] };
    await writeFile(join(view, 'index.json'), JSON.stringify(manifest));
    await writeFile(join(view, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
    await symlink(resolve(layout, 'blobs'), join(view, 'blobs'));
    const place = ['--input', 'image', '--cache-dir', trivy.cache, '--cache-backend', 'memory'];
    const json = await inFolder(trivy, folder, ['image', ...place, ...options]);
    return JSON.stringify(parseOutput(Published, json, `Trivy's report on ${image.platform}`));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/**
 * Converts Trivy's JSON report.
 *
 * @param vulnerabilities whether they were looked for, which a report does not say: the table does
 */
export async function trivyConvert(
  trivy: Trivy,
  report: string,
  format: 'table' | 'sarif' | 'cyclonedx' | 'spdx-json',
  vulnerabilities: keyof typeof SCANNERS = 'not-checked',
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'thoth-convert-'));
  try {
    await writeFile(join(folder, 'report.json'), report);
    const options = ['--quiet', '--format', format, '--scanners', SCANNERS[vulnerabilities]];
    return await inFolder(trivy, folder, ['convert', ...options, 'report.json']);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function inFolder(trivy: Trivy, cwd: string, args: readonly string[]): Promise<string> {
  const options = { cwd, signal: trivy.signal, env: withoutSettings() };
  return (await runOk(trivy.program, args, options, scanFailed)).stdout;
}

/** The beginning of the names of a platform's files: `linux-amd64`. */
export function fileName(platform: string): string {
  return platform.replaceAll('/', '-');
}

/** Trivy reads a setting from each variable `TRIVY_*`, and takes an empty one for none. */
function withoutSettings(): Record<string, string> {
  const names = Object.keys(process.env).filter((name) => name.startsWith('TRIVY_'));
  return Object.fromEntries(names.map((name) => [name, '']));
}

/** Reads JSON that Trivy wrote. @throws ReleaseError SCAN_FAILED where `what` has another form */
export function parseOutput<T>(schema: z.ZodType<T>, json: string, what: string): T {
  try {
    return schema.parse(JSON.parse(json));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new ReleaseError(
      'SCAN_FAILED',
      `${what} has a form this version does not know.`,
      'Use the Trivy that `make tools` builds.',
      reason.split('\n'),
    );
  }
}

function scanFailed(result: CommandResult): ReleaseError {
  return new ReleaseError(
    'SCAN_FAILED',
    'Trivy could not scan the image.',
    'Nothing was pushed. Read the lines it printed.',
    tail(result),
  );
}
