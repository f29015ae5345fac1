import type { CommandModule } from './context.ts';

/** A command as the help shows it. `options` is a line each: `['--flag <value>', 'what it is']`. */
export interface Entry {
  readonly usage: string;
  readonly summary: string;
  readonly options: readonly (readonly [string, string])[];
  readonly required?: readonly string[];
  readonly examples: readonly string[];
  /** The command itself is loaded when it is called: help and completion load none. */
  readonly load: () => Promise<CommandModule>;
}

const TARGET = [
  ['--registry <host>', 'registry to release to (THOTH_REGISTRY)'],
  ['--repository <name>', 'repository in it (THOTH_REPOSITORY)'],
] as const;
const LAYOUT = ['--layout <dir>', 'OCI layout of the release'] as const;
const TAG = ['--tag <version>', 'the release, such as v1.0.0'] as const;
const PLATFORMS = ['--platforms <list>', 'platforms, with commas between (THOTH_PLATFORMS)'] as const;
const SEVERITY = ['--severity <list>', 'what closes the gate where there is a fix (THOTH_SEVERITY)'] as const;
const LICENSES = ['--licenses <list>', 'licence categories that close the gate (THOTH_LICENSES)'] as const;
const SCANNER = [
  '--scanner <name>',
  'who looks for vulnerabilities: trivy, scout or both (THOTH_SCANNER)',
] as const;
const SIZE_LIMIT = [
  '--size-limit <MB>',
  'most megabytes of a platform, compressed (THOTH_SIZE_LIMIT)',
] as const;
const SIGN = [
  ['--sign <mode>', 'who signs: auto, key, keyless or none (THOTH_SIGN)'],
  ['--sign-key <key>', 'private key: a file, or its address in a KMS (THOTH_SIGN_KEY, COSIGN_PASSWORD)'],
] as const;
const SIGSTORE = [
  ['--signing-config <file>', "addresses of a Sigstore of one's own (THOTH_SIGNING_CONFIG)"],
  ['--trusted-root <file>', "keys and certificates of a Sigstore of one's own (THOTH_TRUSTED_ROOT)"],
] as const;
const BUILDER_ID = ['--builder-id <uri>', 'builder in the provenance (THOTH_BUILDER_ID)'] as const;
const SBOM = ['--sbom <dir>', "folder of the SBOMs (default: the release's own in .thoth)"] as const;
const CHART_REPOSITORY = [
  '--chart-repository <name>',
  'repository of the Helm chart (THOTH_CHART_REPOSITORY; default: the other one with -chart)',
] as const;
const BUILT_BY = [
  '--built-by <engine>',
  'what built the layout, where that was not `rehearse`: it goes into the provenance',
] as const;
const CHANNEL = ['--channel <name>', 'tag that a pre-release also gets, such as next'] as const;
const DRY_RUN = ['--dry-run', 'only say what would be done'] as const;

/** What every command has besides its own options. */
export const COMMON = [
  ['--home <dir>', 'folder of all that is made (THOTH_HOME; default .thoth)'],
  ['--json', 'print the result as JSON, progress as JSON lines'],
] as const;

/** Every command, in the order of a release. */
export const COMMANDS: readonly Entry[] = [
  {
    usage: 'rehearse <version>',
    summary: 'do a whole release on this machine: build, start, scan, push to an embedded registry, verify',
    options: [
      ['--port <number>', 'port of the embedded registry (default: a free one)'],
      ['--builder <name>', 'auto, buildx or buildah (THOTH_BUILDER)'],
      ['--buildx-builder <name>', 'instance of buildx to build with (THOTH_BUILDX_BUILDER)'],
      ['--runner <name>', 'what starts the image: auto, docker or buildah (THOTH_RUNNER)'],
      [
        '--base-images <list>',
        "in place of the Dockerfile's, as NODE_IMAGE=node:24 (THOTH_NODE_IMAGE, by its ARG)",
      ],
      ['--extra-ca <file>', 'certificate authority of a proxy, for build steps (THOTH_EXTRA_CA)'],
      ['--npm-registry <url>', 'mirror of the npm registry, for build steps (THOTH_NPM_REGISTRY)'],
      PLATFORMS,
      SEVERITY,
      LICENSES,
      SCANNER,
      SIZE_LIMIT,
      CHANNEL,
      ...SIGN,
    ],
    examples: ['rehearse v1.0.0', 'rehearse v1.1.0-rc.1 --channel next --json'],
    load: async () => (await import('./rehearse.ts')).rehearse,
  },
  {
    usage: 'config',
    summary: "say how the project's image is released, by its thoth-release.json and the settings over it",
    options: [
      ['--tag <version>', 'with the build arguments of this release (default: those of no release)'],
      [
        '--base-images <list>',
        "in place of the Dockerfile's, as NODE_IMAGE=node:24 (THOTH_NODE_IMAGE, by its ARG)",
      ],
      ['--layout <dir>', 'with the port and the variables that this layout is started with in a container'],
      ['--schema', 'print the JSON Schema of thoth-release.json'],
    ],
    examples: ['config', 'config --tag v1.0.0 --json', 'config --schema > thoth-release.schema.json'],
    load: async () => (await import('./config.ts')).config,
  },
  {
    usage: 'tags <version>',
    summary: 'the tags a version gets, in push order',
    options: [['--existing <list>', 'versions released before (default: the git tags)'], CHANNEL],
    examples: ['tags v1.0.1 --existing v1.0.0,v2.0.0 --json'],
    load: async () => (await import('./tags.ts')).tags,
  },
  {
    usage: 'changelog <version>',
    summary: "a version's section of the changelog, from the git history",
    options: [
      ['--write <file>', 'put it into this file as well'],
      ['--from <file>', 'changelog to put it into, where that is another file'],
    ],
    examples: ['changelog v1.0.0', 'changelog v1.0.0 --write CHANGELOG.md'],
    load: async () => (await import('./changelog.ts')).changelog,
  },
  {
    usage: 'notes <version>',
    summary: 'the release notes',
    options: [
      ['--layout <dir>', 'with digests and sizes of this layout, and what changed since the release before'],
      ...TARGET,
      ['--scan <file>', 'with the findings of this report.json'],
      ['--output <file>', 'write them here as well'],
    ],
    examples: ['notes v1.0.0 --layout .thoth/release/v1.0.0/layout'],
    load: async () => (await import('./notes.ts')).notes,
  },
  {
    usage: 'layout <archive>',
    summary: "make the release's layout of an OCI archive that an engine exported",
    options: [['--output <dir>', 'where to write it']],
    required: ['output'],
    examples: ['layout image.tar --output layout'],
    load: async () => (await import('./layout.ts')).layout,
  },
  {
    usage: 'start',
    summary: 'wait for a started platform to answer 200, and write down that it did',
    options: [
      LAYOUT,
      ['--platform <name>', 'the one that was started'],
      ['--url <url>', 'its health check'],
      ['--evidence <file>', 'where to write it down'],
    ],
    required: ['layout', 'platform', 'url'],
    examples: ['start --layout layout --platform linux/arm64 --url http://127.0.0.1:8000/health'],
    load: async () => (await import('./start.ts')).start,
  },
  {
    usage: 'policy',
    summary: 'judge a layout by the image policy',
    options: [LAYOUT, PLATFORMS, SIZE_LIMIT],
    required: ['layout'],
    examples: ['policy --layout .thoth/release/v1.0.0/layout'],
    load: async () => (await import('./policy.ts')).policy,
  },
  {
    usage: 'scan',
    summary: 'say what stops a layout: vulnerabilities, secrets, misconfiguration, licences, image policy',
    options: [
      LAYOUT,
      SEVERITY,
      LICENSES,
      SCANNER,
      SIZE_LIMIT,
      ['--format <name>', 'table, json or sarif'],
      ['--output <dir>', 'keep the reports here'],
      ['--trivy-db <ref>', 'OCI artifact of the vulnerability database (THOTH_TRIVY_DB)'],
      ['--allow-unchecked', 'go on where vulnerabilities could not be looked for'],
    ],
    required: ['layout'],
    examples: ['scan --layout layout', 'scan --layout layout --severity CRITICAL --format sarif'],
    load: async () => (await import('./scan.ts')).scan,
  },
  {
    usage: 'sbom',
    summary: 'write the SBOMs of a layout, CycloneDX and SPDX',
    options: [LAYOUT, ['--output <dir>', 'where to write them']],
    required: ['layout', 'output'],
    examples: ['sbom --layout layout --output sbom'],
    load: async () => (await import('./sbom.ts')).sbom,
  },
  {
    usage: 'plan',
    summary: 'plan a release against the registry as it is now; nothing is pushed',
    options: [
      TAG,
      ...TARGET,
      ['--layout <dir>', "default: the release's own in .thoth"],
      ['--evidence <file>', 'what `start` wrote down'],
      ['--scan <file>', 'report.json of the scan'],
      SBOM,
      CHART_REPOSITORY,
      BUILT_BY,
      BUILDER_ID,
      ...SIGN,
      ['--output <file>', "default: the release's plan.json in .thoth"],
      CHANNEL,
      ['--rehearsal', 'for a registry on this machine: vulnerabilities may be unchecked'],
      ['--schema', 'print the JSON Schema of plan.json'],
    ],
    examples: ['plan --tag v1.0.0', 'plan --schema'],
    load: async () => (await import('./plan.ts')).plan,
  },
  {
    usage: 'publish',
    summary: 'push a release and move its tags, as one transaction that can be resumed',
    options: [
      TAG,
      ...TARGET,
      ['--layout <dir>', "default: the release's own in .thoth"],
      ['--plan <file>', 'do exactly this plan; refused where the registry changed since'],
      ['--evidence <file>', 'what `start` wrote down'],
      SBOM,
      [
        '--chart <dir>',
        "folder that `plan` packed the Helm chart into (default: the release's own in .thoth)",
      ],
      CHART_REPOSITORY,
      BUILT_BY,
      BUILDER_ID,
      ...SIGN,
      ...SIGSTORE,
      CHANNEL,
      DRY_RUN,
    ],
    required: ['tag'],
    examples: ['publish --tag v1.0.0 --dry-run', 'publish --tag v1.0.0 --plan plan.json'],
    load: async () => (await import('./publish.ts')).publish,
  },
  {
    usage: 'verify',
    summary: 'read a release back from the registry and check it, signatures too',
    options: [
      TAG,
      ...TARGET,
      CHART_REPOSITORY,
      PLATFORMS,
      ['--verify-key <key>', 'public key whose signatures count (THOTH_VERIFY_KEY)'],
      ['--verify-identity <subject>', 'who must have signed, keyless (THOTH_VERIFY_IDENTITY)'],
      ['--verify-issuer <url>', 'who vouched for that (THOTH_VERIFY_ISSUER; default GitHub)'],
      SIGSTORE[1],
      BUILDER_ID,
      ['--sign <mode>', 'none: look at no signature (THOTH_SIGN)'],
      ['--rebuild', 'build its commit again from nothing, and compare the digests'],
    ],
    required: ['tag'],
    examples: ['verify --tag v1.0.0 --json', 'verify --tag v1.0.0 --rebuild'],
    load: async () => (await import('./verify.ts')).verify,
  },
  {
    usage: 'github-release',
    summary:
      'create or finish the release on GitHub: notes, SBOMs, plan, checksums; public once the tags moved',
    options: [
      TAG,
      ...TARGET,
      ['--plan <file>', "default: the release's plan.json in .thoth"],
      ['--notes <file>', "default: the release's notes.md in .thoth"],
      ['--draft', 'leave it a draft'],
      ['--replace-notes', 'write the notes anew where the release is public already'],
      DRY_RUN,
    ],
    required: ['tag'],
    examples: ['github-release --tag v1.0.0 --draft', 'github-release --tag v1.0.0'],
    load: async () => (await import('./github-release.ts')).githubRelease,
  },
  {
    usage: 'docker-hub',
    summary: "bring the repository's page on Docker Hub up to date: description, README, tag list",
    options: [
      ['--tag <version>', "with the tags of this release's plan, should Docker Hub not list them yet"],
      ...TARGET,
      ['--page <file>', 'the README'],
      ['--description <text>', 'the short description'],
      DRY_RUN,
    ],
    examples: ['docker-hub --dry-run', 'docker-hub --tag v1.0.0'],
    load: async () => (await import('./docker-hub.ts')).dockerHub,
  },
  {
    usage: 'rescan',
    summary:
      'scan what was released with the vulnerabilities known today, and keep one GitHub issue about it',
    options: [
      ...TARGET,
      ['--tags <list>', 'what is scanned (default: latest, v1, v2, ...)'],
      SEVERITY,
      ['--trivy-db <ref>', 'OCI artifact of the vulnerability database (THOTH_TRIVY_DB)'],
      ['--output <file>', 'keep what was found, as JSON'],
      ['--from <file>', 'take what was kept, and scan nothing'],
      ['--issue', 'open, update or close the issue (GITHUB_TOKEN)'],
      DRY_RUN,
    ],
    examples: ['rescan --output rescan.json', 'rescan --from rescan.json --issue'],
    load: async () => (await import('./rescan.ts')).rescan,
  },
  {
    usage: 'rollback',
    summary: 'point the range tags and latest back at a released version, without a build',
    options: [['--to <version>', 'the release to go back to'], ...TARGET, DRY_RUN],
    required: ['to'],
    examples: ['rollback --to v1.0.0 --dry-run', 'rollback --to v1.0.0'],
    load: async () => (await import('./move.ts')).rollback,
  },
  {
    usage: 'promote',
    summary: 'point a channel at a released version, without a build',
    options: [
      ['--to <version>', 'the release'],
      ['--channel <name>', 'the channel (default next)'],
      ...TARGET,
      DRY_RUN,
    ],
    required: ['to'],
    examples: ['promote --to v1.1.0-rc.1 --channel next'],
    load: async () => (await import('./move.ts')).promote,
  },
  {
    usage: 'registry [command...]',
    summary: 'serve the registry of rehearsals, until stopped or while a command runs',
    options: [['--port <number>', 'default: a free one']],
    examples: [
      'registry --port 5000',
      "registry -- sh -c 'regctl tag ls $THOTH_REGISTRY/marcopancotti/thoth'",
    ],
    load: async () => (await import('./registry.ts')).registry,
  },
  {
    usage: 'completion <shell>',
    summary: 'print what completes commands and options in a shell: bash, zsh or fish',
    options: [],
    examples: [
      'completion bash > ~/.local/share/bash-completion/completions/thoth-release',
      'completion fish > ~/.config/fish/completions/thoth-release.fish',
    ],
    load: async () => (await import('./completion.ts')).completionOf(COMMANDS, COMMON),
  },
];
