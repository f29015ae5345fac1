import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from '../../errors.ts';
import type { PlatformImage } from '../../image/layout.ts';
import { type CommandResult, runOk, tail } from '../../machine/command.ts';
import { VIEW, withView } from './image-view.ts';

/** Nothing is sent home. */
export const SILENT = ['--disable-telemetry', '--skip-version-check'];
const OFFLINE = ['--offline-scan', '--skip-db-update', '--skip-java-db-update', '--skip-vex-repo-update'];
const JSON_REPORT = ['--format', 'json', '--quiet', ...SILENT];
/** How an image is scanned: without the network. */
const SCAN = [
  ...['--list-all-pkgs', '--image-config-scanners', 'misconfig,secret', '--skip-check-update'],
  ...[...JSON_REPORT, ...OFFLINE],
];
/** The scanners by what is looked for, as Trivy names them. */
const SCANNERS = {
  'not-checked': 'secret,misconfig,license',
  checked: 'vuln,secret,misconfig,license',
  dockerfile: 'misconfig',
} as const;
/** The forms that a report is converted to. */
export type Format = 'table' | 'sarif' | 'cyclonedx' | 'spdx-json';
/** What was looked for in a report. */
export type Looked = keyof typeof SCANNERS;
/** A comment by which a Dockerfile would hide a finding. */
const HIDING_COMMENT = /#\s*(?:trivy|tfsec):ignore/gi;
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
export interface TrivyBuild {
  readonly version: string;
  /** Tells two builds of the program apart, whatever they say of themselves. */
  readonly build: string;
  /** When its vulnerability database was made; `undefined` where there is none. */
  readonly databaseUpdatedAt: Date | undefined;
}

/** @throws ReleaseError SCAN_FAILED where the program does not say what it is */
export async function readBuild(trivy: Trivy): Promise<TrivyBuild> {
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
export function scanOptions(vulnerabilities: 'checked' | 'not-checked'): readonly string[] {
  return ['--scanners', SCANNERS[vulnerabilities], ...SCAN];
}

/**
 * Runs `trivy image` on one platform and returns its JSON report.
 *
 * Trivy takes the first manifest of a layout it is given and does not read `--platform` there (measured
 * with 0.74.0), so it is handed a view of the layout with one manifest. It works in that view's folder and
 * without `TRIVY_*` variables: a `.trivyignore`, a `trivy.yaml` or a variable that lies around must not hide
 * anything. Its analysis is kept in memory, so that several can run at once.
 *
 * @param options those of {@link scanOptions}
 */
export function trivyImage(
  trivy: Trivy,
  layout: string,
  image: PlatformImage,
  options: readonly string[],
): Promise<string> {
  return withView(layout, image, async (folder) => {
    const place = ['--input', VIEW, '--cache-dir', trivy.cache, '--cache-backend', 'memory'];
    const json = await inFolder(trivy, folder, ['image', ...place, ...options]);
    return JSON.stringify(parseOutput(Published, json, `Trivy's report on ${image.platform}`));
  });
}

/** Runs `trivy sbom`: what is known of the packages that an SBOM lists. @returns its JSON report */
export async function trivySbom(trivy: Trivy, sbom: string): Promise<string> {
  const options = ['--list-all-pkgs', '--scanners', 'vuln', ...JSON_REPORT, ...OFFLINE];
  return onFile(trivy, 'bom.cdx.json', sbom, ['sbom', '--cache-dir', trivy.cache, ...options]);
}

/**
 * Runs `trivy config` on a Dockerfile, with the checks that the program brings along. Comments that hide a finding
 * have no say: what is let through is in the ignore file, with an owner and an end.
 *
 * @returns its JSON report
 */
export async function trivyDockerfile(trivy: Trivy, text: string): Promise<string> {
  const options = ['--misconfig-scanners', 'dockerfile', '--skip-check-update', ...JSON_REPORT];
  const visible = text.replace(HIDING_COMMENT, '# not heeded');
  return onFile(trivy, 'Dockerfile', visible, ['config', '--cache-dir', trivy.cache, ...options]);
}

/**
 * Converts Trivy's JSON report.
 *
 * @param looked what was looked for, which a report does not say: the table does
 */
export async function trivyConvert(
  trivy: Trivy,
  report: string,
  format: Format,
  looked: Looked,
): Promise<string> {
  const options = ['--quiet', '--format', format, '--scanners', SCANNERS[looked]];
  return onFile(trivy, 'report.json', report, ['convert', ...options]);
}

/** Runs Trivy on one file, in a folder that holds nothing else. @param args without the file, which comes last */
async function onFile(trivy: Trivy, name: string, content: string, args: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'thoth-scan-'));
  try {
    await writeFile(join(folder, name), content);
    return await inFolder(trivy, folder, [...args, name]);
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
    'Trivy could not do its part of the scan.',
    'Nothing was pushed. Read the lines it printed.',
    tail(result),
  );
}
