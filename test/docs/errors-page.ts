import { CATALOGUE, type ErrorCode, MEANING } from '../../src/release/errors.ts';
import { MEANING as SERVICE_MEANING } from '../../src/server/exit.ts';

/** What each error of `thoth-release` is about, and what there is to do; the error itself says it of the case at hand. */
const GUIDE: Readonly<Record<ErrorCode, readonly [means: string, todo: string]>> = {
  VERSION_INVALID: [
    'The version is not semver, has build metadata, or is too long for a tag.',
    'Give one such as `v1.2.3` or `v1.2.3-rc.1`.',
  ],
  VERSION_EXISTS: [
    'The git tag of the version is on another commit than the one checked out.',
    'Check the tag out, or choose the next version.',
  ],
  USAGE: ['The command line asks for what can not be.', 'Read `thoth-release help COMMAND`.'],
  SETTING_INVALID: [
    'Options, variables or files that they name are wrong or missing; all of them are listed.',
    'Mend each line of the list.',
  ],
  CONFIG_INVALID: [
    '`thoth-release.json`, or the Dockerfile that it names, is wrong; every fault is listed with its path.',
    'Write what the line shows; [every key](OWN-IMAGE.md#thoth-releasejson).',
  ],
  GIT_MISSING: ['There is no `git`.', 'Install it.'],
  GIT_NO_HISTORY: [
    'This is no clone, a shallow one, or one without a commit.',
    '`git fetch --unshallow --tags`; in a workflow `fetch-depth: 0`.',
  ],
  GIT_DIRTY: ['Files differ from the commit; they are listed.', 'Commit, remove or ignore them.'],
  GIT_FAILED: ['git can not read the project.', 'Read its own words, and run `git status`.'],
  TOOL_MISSING: ['A program is missing; it is named.', '`make tools`.'],
  NO_BUILDER: ['Nothing here can build an image.', 'Start Docker, or install buildah: `make tools`.'],
  NO_RUNNER: ['Nothing here can start an image.', 'Start Docker, or install buildah: `make tools`.'],
  BUILD_FAILED: ['A step of the Dockerfile failed.', 'Read the last lines of the build, which are shown.'],
  START_FAILED: ['A platform did not get healthy.', 'Read what it printed, which is shown.'],
  LAYOUT_INVALID: ['A folder is not the OCI layout of a release.', 'Build it again, or name another one.'],
  LAYOUT_CORRUPT: [
    'A layout changed after it was built: what was scanned is not what is there.',
    'Delete it and build again; find out what changed it.',
  ],
  CHART_INVALID: [
    'The Helm chart can not be released.',
    'Mend it, or set `THOTH_CHART` to another folder or to `none`.',
  ],
  PORT_IN_USE: ['Another program listens on the port.', 'Stop it, or leave `--port` out.'],
  DISK: ['The disk is full, or may not be written.', 'Free some room, or name another folder with `--home`.'],
  IMAGE_POLICY: [
    'The image breaks a [rule](RELEASING.md#image-policy); each is listed.',
    'Mend the Dockerfile.',
  ],
  SCAN_GATE: [
    '[Findings](RELEASING.md#scan) stop the release; each is listed.',
    'Update what has a fix; let a harmless one through [for a while](RELEASING.md#exceptions).',
  ],
  SCAN_FAILED: ['The scanner failed.', 'Read its own words, which are shown.'],
  SCAN_DATA: [
    'There is no vulnerability database, or it is older than 7 days.',
    'Run it where it can be fetched, or name a mirror in `THOTH_TRIVY_DB`.',
  ],
  BASE_IMAGE: [
    'A base image can not be had, or the image stands on a stand-in.',
    'Build where it can be reached, or name another with `--base-images`.',
  ],
  REGISTRY_UNREACHABLE: [
    'The registry can not be reached or trusted, or failed again and again.',
    'Check its name, the network and `THOTH_REGISTRY_CA`; run it again: it goes on.',
  ],
  REGISTRY_DENIED: [
    'The registry refuses the login, or gives it no right.',
    '`docker login`, with a token that may write.',
  ],
  REGISTRY_FAILED: [
    'The registry refused a request or answers as none does.',
    'Read its own words, which are shown.',
  ],
  SIGNER_UNKNOWN: [
    'Nothing says who signs.',
    'Name a key with `--sign-key`; on GitHub the job needs `id-token: write`; or `--sign none`.',
  ],
  SIGN_KEY: [
    'The key can not be used, or is not the planned one.',
    'Check the file, `COSIGN_PASSWORD` and the plan.',
  ],
  SIGN_FAILED: [
    'What signs failed: Sigstore, a KMS or the network.',
    'Run it again: what is signed stays signed.',
  ],
  VERIFY_FAILED: [
    'The registry holds no such release, or another than the one that was released.',
    'Do not install it until you know why; the checks that failed are listed.',
  ],
  TAG_IMMUTABLE: [
    '`vX.Y.Z`, or the chart of that version, exists with other content.',
    'Release as the next version.',
  ],
  PLAN_INVALID: [
    'A plan, or what it is about, is missing, of another form, or not what was planned.',
    'Plan the release again.',
  ],
  PLAN_STALE: ['Tags moved since the plan was made.', 'Look at what moved them; plan again.'],
  JOURNAL_INVALID: [
    'Somebody changed the journal.',
    'Move it away: what is left to do is read from the registry.',
  ],
  LOCKED: ['Another command works on the same repository.', 'Wait for it.'],
  HUB_PAGE: [
    'The page for Docker Hub is too long, or has no place for the tags.',
    'Mend `docs/DOCKERHUB.md`.',
  ],
  HUB_REPOSITORY: [
    'The repository is not on Docker Hub, or its name is not of Docker Hub.',
    'Push first; check the name.',
  ],
  HUB_UNREACHABLE: ['Docker Hub can not be reached.', 'Check the network; run it again.'],
  HUB_DENIED: [
    'Docker Hub refuses the login, or gives it no right.',
    'A token with the right to read, write and delete, of an administrator.',
  ],
  HUB_FAILED: [
    'Docker Hub refused a request or answers otherwise than documented.',
    'Read its own words, which are shown.',
  ],
  GITHUB_UNREACHABLE: ['GitHub can not be reached.', 'Check the network and `GITHUB_API_URL`; run it again.'],
  GITHUB_DENIED: [
    'GitHub does not know the token, or it has no right.',
    'A token with `contents: write`, or `issues: write`.',
  ],
  GITHUB_FAILED: ['GitHub refused a request.', 'Read its own words, which are shown.'],
  GITHUB_EARLY: [
    'The tags did not move yet, so nothing is made public.',
    'Publish first, or make a `--draft`.',
  ],
  GITHUB_TAG: [
    'GitHub has not the git tag, or has it on another commit.',
    '`git push origin TAG`; or find out who moved it.',
  ],
  GITHUB_ASSET: ['The public release holds a file with other bytes.', 'Find out who put it there.'],
  INTERRUPTED: ['It was told to stop.', 'Run it again: it goes on.'],
};

/** docs/ERRORS.md. */
export function errorsPage(): string {
  const codes = Object.entries(CATALOGUE) as [ErrorCode, number][];
  return `# Errors

<!-- Generated from src/release/errors.ts and src/server/exit.ts by "node --import tsx test/docs/write-errors.ts"; do not edit. -->

## thoth-release

Every error is \`error CODE: what is wrong\`, the facts, and what to do, on standard error; with \`--json\` the same as
JSON. A code keeps its name and its exit code, so scripts may rely on both.

${table(
  ['Code', 'Exit', 'What it is', 'What to do'],
  codes.map(([code, exit]) => [`\`${code}\``, String(exit), ...GUIDE[code]]),
)}

${table(['Exit code', 'Meaning'], Object.entries(MEANING))}

## thoth

The service tells clients of errors as OpenAI does: [API.md](API.md#errors). The program itself ends with:

${table(['Exit code', 'Meaning'], Object.entries(SERVICE_MEANING))}
`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
