/**
 * The command lines the module runs, one function each. They call `thoth-release` and decide nothing: what
 * may be released, under which tags, is decided in src/release.
 *
 * No secret is ever an argument: arguments show in traces and process lists.
 */

/** Where things are inside the toolbox container. */
export const PATHS = {
  project: '/src',
  engine: '/engine',
  /** Where the engine's bundle is made, and where it is then: outside of the project, which must stay as committed. */
  bundle: 'dist/thoth-release.mjs',
  program: '/thoth/thoth-release.mjs',
  home: '/thoth/home',
  trivyCache: '/thoth/home/trivy',
  layout: '/release/layout',
  archive: '/release/image.tar',
  evidence: '/release/evidence.json',
  notes: '/release/notes.md',
  dockerConfig: '/run/thoth/docker',
  extraCa: '/run/thoth/ca',
  signKey: '/run/thoth/cosign.key',
  verifyKey: '/run/thoth/cosign.pub',
} as const;

/** A registry and a repository in it. */
export interface Target {
  readonly registry: string;
  readonly repository: string;
}

/** The release's folder: plan, journal, layout, SBOMs, scan reports, notes. */
export function releaseFolder(tag: string): string {
  return `${PATHS.home}/release/${releaseTag(tag)}`;
}

/** The release notes in that folder. */
export const notesFile = (tag: string) => `${releaseFolder(tag)}/notes.md`;

/** `v1.2.3` for both `1.2.3` and `v1.2.3`. Whether it is a version is for thoth-release to say. */
export function releaseTag(tag: string): string {
  if (tag.includes('/') || tag.startsWith('-')) throw new Error(`"${tag}" can not be the tag of a release.`);
  return tag.startsWith('v') ? tag : `v${tag}`;
}

const release = (...args: string[]) => ['node', PATHS.program, ...args];
const at = (target: Target) => ['--registry', target.registry, '--repository', target.repository];
const dry = (dryRun: boolean) => (dryRun ? ['--dry-run'] : []);

export const installDependencies = () => [
  ...['npm', 'ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
];

/** All that the engine is bundled of, beside its package.json and lock file. */
export const ENGINE_SOURCES = 'src/release';

export const BUNDLER = `${ENGINE_SOURCES}/bundle.mjs`;

export const bundleRelease = () => ['node', BUNDLER];

/** @param layout whether it is said where the layout listens */
export const sayConfig = (tag: string | undefined, layout: boolean) =>
  release(
    ...['config', ...(tag === undefined ? [] : ['--tag', releaseTag(tag)])],
    ...[...(layout ? ['--layout', PATHS.layout] : []), '--json'],
  );

/** tsc, Biome: everything static that needs no tool beyond npm's. */
export const lintProject = () => ['npm', 'run', '--silent', 'check'];

/**
 * The tests that need nothing but Node and git; those that need a registry, an engine or a daemon end in
 * `.itg.test.ts` and run with `make test`.
 *
 * @throws Error where none is left: a run of no test must not pass
 */
export function runTests(files: readonly string[]): string[] {
  const chosen = files.filter((file) => file.endsWith('.test.ts') && !file.endsWith('.itg.test.ts')).sort();
  if (chosen.length === 0) throw new Error('No test was found under test/.');
  return ['node', '--import', 'tsx', '--test', ...chosen];
}

export const packLayout = () => ['tar', '-C', PATHS.layout, '-cf', PATHS.archive, '.'];

export const makeLayout = () => release('layout', PATHS.archive, '--output', PATHS.layout);

export const startPlatform = (platform: string, url: string) =>
  release(
    ...['start', '--layout', PATHS.layout, '--platform', platform, '--url', url],
    ...['--evidence', PATHS.evidence],
  );

/**
 * @param severity by default the project's
 * @param keep where the reports stay, and whether it may go on where vulnerability data is missing
 */
export function scanLayout(
  layout: string,
  severity: string | undefined,
  format: string,
  keep?: { readonly output: string; readonly allowUnchecked: boolean },
): string[] {
  return release(
    ...['scan', '--layout', layout, ...(severity === undefined ? [] : ['--severity', severity])],
    ...['--format', format],
    ...(keep === undefined ? [] : ['--output', keep.output]),
    ...(keep?.allowUnchecked === true ? ['--allow-unchecked'] : []),
  );
}

export const writeSboms = (layout: string, output: string) =>
  release('sbom', '--layout', layout, '--output', output);

export const judgeLayout = (layout: string) => release('policy', '--layout', layout);

export function listTags(tag: string, existing: readonly string[], channel?: string): string[] {
  const known = existing.length === 0 ? [] : ['--existing', existing.join(',')];
  return release(
    ...['tags', releaseTag(tag), ...known],
    ...(channel === undefined ? [] : ['--channel', channel]),
    '--json',
  );
}

export const writeNotes = (tag: string) => release('notes', releaseTag(tag));

/** Notes that look at a layout, and at the release before it in the registry; `output` is where they are kept. */
export const compareNotes = (target: Target, tag: string, layout: string, output: string) =>
  release('notes', releaseTag(tag), ...at(target), '--layout', layout, '--output', output);

export const writeChangelog = (tag: string, file: string) =>
  release('changelog', releaseTag(tag), '--from', 'CHANGELOG.md', '--write', file);

/**
 * Plans from what lies in the release's folder: layout, evidence of the starts, scan report.
 *
 * @param engine what built it, for the provenance: `dagger v0.21.9`
 */
export const planRelease = (target: Target, tag: string, engine: string, rehearsal: boolean) =>
  release(
    ...['plan', ...at(target), '--tag', releaseTag(tag), '--built-by', engine],
    ...(rehearsal ? ['--rehearsal'] : []),
  );

/** Does what the plan in the release's folder says. */
export const publishRelease = (target: Target, tag: string, dryRun: boolean) =>
  release(
    ...['publish', ...at(target), '--tag', releaseTag(tag)],
    ...['--plan', `${releaseFolder(tag)}/plan.json`, ...dry(dryRun)],
  );

export const verifyRelease = (target: Target, tag: string) =>
  release('verify', ...at(target), '--tag', releaseTag(tag));

export const rollBack = (target: Target, tag: string, dryRun: boolean) =>
  release('rollback', ...at(target), '--to', releaseTag(tag), ...dry(dryRun));

export const promoteRelease = (target: Target, tag: string, channel: string, dryRun: boolean) =>
  release('promote', ...at(target), '--to', releaseTag(tag), '--channel', channel, ...dry(dryRun));

/** Makes the release on GitHub, or completes it; `draft` where its tags have not moved yet. */
export const releaseOnGitHub = (target: Target, tag: string, draft: boolean) =>
  release('github-release', ...at(target), '--tag', releaseTag(tag), ...(draft ? ['--draft'] : []));

/** Brings the repository's page on Docker Hub up to date. */
export const updateHubPage = (target: Target, tag: string) =>
  release('docker-hub', ...at(target), '--tag', releaseTag(tag));

/** Scans what was released again. */
export const rescanReleased = (target: Target, output: string) =>
  release('rescan', ...at(target), '--output', output);

/** Tells GitHub what was found. */
export const reportRescan = (from: string) => release('rescan', '--from', from, '--issue');
