import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import type { Config } from './config/config.ts';
import { CONFIG_FILE, readConfig } from './config/read.ts';
import { HOST, LicenseCategory, oneOf, PLATFORM, REPOSITORY, Scanner, Severity } from './config/words.ts';
import { ReleaseError } from './errors.ts';
import { readIfThere } from './machine/file.ts';
import { isLoopback } from './machine/loopback.ts';
import { hasToken, readWorkflow, type WorkflowRun } from './machine/workflow.ts';

const repositoryName = z
  .string()
  .max(255, 'is longer than 255 characters')
  .regex(REPOSITORY, {
    error: ({ input }) => `"${input}" is not a repository name such as ada/greeter`,
  });

/** The parts of a text between commas, each once. */
const list = (text: string) => [
  ...new Set(
    text
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  ),
];

const host = z
  .string()
  .regex(HOST, { error: ({ input }) => `"${input}" is not a host such as ghcr.io or localhost:5000` });
/** A web service's. A token goes to it: only over TLS, or to this machine. */
const address = z.string().refine(
  (text) => {
    if (!URL.canParse(text)) return false;
    const { protocol, host, username } = new URL(text);
    return username === '' && (protocol === 'https:' || (protocol === 'http:' && isLoopback(host)));
  },
  // Not shown where it may hold a password.
  {
    error: ({ input }) =>
      `${String(input).includes('@') ? 'it' : `"${input}"`} is not an address such as https://api.github.com`,
  },
);
/** Where cosign finds a key that is no file (cosign's KMS.md); `env://NAME` is a variable that holds one. */
const KEY_URI = /^(?:awskms|azurekms|gcpkms|hashivault|k8s|env):\/\/./;
const file = z.string().refine(existsSync, { error: ({ input }) => `there is no file ${input}` });
const key = z.string().refine((value) => KEY_URI.test(value) || existsSync(value), {
  error: ({ input }) => `there is no file ${input}, and it is no address such as awskms://…`,
});
const uri = z.url({ error: ({ input }) => `"${input}" is not a URL` });

/** What a user may change from flags first, then the environment, then the project's file where it says so, too. */
const Settings = z.object({
  registry: host.optional(),
  repository: repositoryName.optional(),
  /** Folder of the Helm chart that is released with the image, or `none`. */
  chart: z.string().optional(),
  /** Where the chart goes, in the same registry. Its last part becomes the chart's name. */
  chartRepository: repositoryName.optional(),
  platforms: z
    .string()
    .transform(list)
    .pipe(
      z
        .array(
          z.string().regex(PLATFORM, {
            error: ({ input }) => `"${input}" is not a platform such as linux/arm64`,
          }),
        )
        .min(1, 'names no platform'),
    )
    .optional(),
  /** PEM file of a proxy's certificate authority, for build steps that use the network. */
  extraCa: file.optional(),
  /** Mirror of the npm registry, for build steps. */
  npmRegistry: uri.optional(),
  /** Findings of these severities with a fix stop a release. */
  severity: z
    .string()
    .toUpperCase()
    .transform(list)
    .pipe(z.array(Severity).min(1, 'names no severity'))
    .optional(),
  /** Licences of these categories stop a release: of code in the program; of the distribution only forbidden ones. */
  licenses: z
    .string()
    .toLowerCase()
    .transform(list)
    .pipe(z.array(LicenseCategory).min(1, 'names no category'))
    .optional(),
  /** Who looks for vulnerabilities. Trivy always looks for the rest; Scout needs Docker's CLI, logged in. */
  scanner: Scanner.optional(),
  /** The most megabytes a platform may have, compressed. */
  sizeLimit: z
    .string()
    .transform(Number)
    .pipe(z.number('is not a number of megabytes').positive('is not a number of megabytes'))
    .optional(),
  /** Where Trivy fetches its database from, in place of its own default. */
  trivyDb: z.string().optional(),
  /** What is asked for when a platform was started. */
  healthPath: z.string().startsWith('/', 'does not begin with /').optional(),
  /** `auto` takes Docker with buildx where it runs, else buildah. */
  builder: oneOf('auto', 'buildx', 'buildah').default('auto'),
  /** The buildx builder to use, by name; the current one where unset. */
  buildxBuilder: z.string().optional(),
  /** What starts the image: `auto` takes Docker where its daemon answers, else buildah. */
  runner: oneOf('auto', 'docker', 'buildah').default('auto'),
  /** Registry hosts that are spoken to without TLS; loopback always is, unless `registryCa` is given. */
  plainHttp: z.string().default('').transform(list).pipe(z.array(host)),
  /** PEM file of the certificate authority that signed the registry's certificate. */
  registryCa: file.optional(),
  /** Who signs: `auto` takes `signKey` where named, else the OIDC token at hand, and a rehearsal its own key. */
  sign: oneOf('auto', 'keyless', 'key', 'none').default('auto'),
  /** Private key, a file of cosign's or the address of one; its password is in COSIGN_PASSWORD. */
  signKey: key.optional(),
  /** File with the addresses of Sigstore's services, where they are not the public ones. */
  signingConfig: file.optional(),
  /** File with the keys and certificates of those services. */
  trustedRoot: file.optional(),
  /** Public key whose signatures count when a release is verified. */
  verifyKey: key.optional(),
  /** Subject of the certificates whose signatures count. */
  verifyIdentity: z.string().optional(),
  /** Who vouched for that subject; GitHub where unset. */
  verifyIssuer: uri.optional(),
  /** What the provenance names as the builder, and must name; the GitHub workflow where one runs. */
  builderId: uri.optional(),
  /** Docker Hub's own site and API: its registry is elsewhere. */
  hubUrl: address.default('https://hub.docker.com'),
  /** Who edits the page on Docker Hub, with an access token. Tokens have a variable only, and no flag. */
  hubUser: z.string().optional(),
  hubToken: z.string().optional(),
  githubApi: address.default('https://api.github.com'),
  /** `owner/name`; by default where package.json or `origin` says the source is. */
  githubRepository: z
    .string()
    .regex(/^[\w.-]+\/[\w.-]+$/, {
      error: ({ input }) => `"${input}" is not a repository such as owner/name`,
    })
    .optional(),
  githubToken: z.string().optional(),
});
type Told = z.infer<typeof Settings>;

/** Settings that the project's file has a place for: it counts where neither a flag nor a variable says anything. */
type FromFile = 'registry' | 'platforms' | 'severity' | 'licenses' | 'scanner' | 'sizeLimit' | 'healthPath';

/** Everything about a release, as it is to be done. */
export type Settings = Omit<Told, FromFile> &
  Pick<Config, 'registry' | 'source' | 'platforms' | 'build' | 'start' | 'policy' | 'dockerHub'> &
  Config['scan'] & {
    readonly home: string;
    readonly project: string;
    /** Name at the top of the release notes. */
    readonly title: string;
    /** The chart as plain manifests, by their place in the project. */
    readonly manifests?: string;
    /** Base images in place of the Dockerfile's, by the ARG that names them there. */
    readonly baseImages: Readonly<Record<string, string>>;
    /** The GitHub workflow that publishes the project's releases, by the name of its file. */
    readonly publisher: string;
    /** The GitHub workflow that this is a part of. */
    readonly workflow?: WorkflowRun;
    /** Whether an OIDC token can be had without asking a person. */
    readonly token: boolean;
    /** Whether flag or variable names the registry. */
    readonly registryNamed: boolean;
  };

/** The environment variable behind each setting. */
export const VARIABLES: Readonly<Record<keyof z.infer<typeof Settings>, string>> = {
  registry: 'THOTH_REGISTRY',
  repository: 'THOTH_REPOSITORY',
  chart: 'THOTH_CHART',
  chartRepository: 'THOTH_CHART_REPOSITORY',
  platforms: 'THOTH_PLATFORMS',
  extraCa: 'THOTH_EXTRA_CA',
  npmRegistry: 'THOTH_NPM_REGISTRY',
  severity: 'THOTH_SEVERITY',
  licenses: 'THOTH_LICENSES',
  scanner: 'THOTH_SCANNER',
  sizeLimit: 'THOTH_SIZE_LIMIT',
  trivyDb: 'THOTH_TRIVY_DB',
  healthPath: 'THOTH_HEALTH_PATH',
  builder: 'THOTH_BUILDER',
  buildxBuilder: 'THOTH_BUILDX_BUILDER',
  runner: 'THOTH_RUNNER',
  plainHttp: 'THOTH_REGISTRY_PLAIN_HTTP',
  registryCa: 'THOTH_REGISTRY_CA',
  sign: 'THOTH_SIGN',
  signKey: 'THOTH_SIGN_KEY',
  signingConfig: 'THOTH_SIGNING_CONFIG',
  trustedRoot: 'THOTH_TRUSTED_ROOT',
  verifyKey: 'THOTH_VERIFY_KEY',
  verifyIdentity: 'THOTH_VERIFY_IDENTITY',
  verifyIssuer: 'THOTH_VERIFY_ISSUER',
  builderId: 'THOTH_BUILDER_ID',
  hubUrl: 'THOTH_DOCKERHUB_URL',
  hubUser: 'DOCKERHUB_USERNAME',
  hubToken: 'DOCKERHUB_TOKEN',
  // As GitHub sets them in a workflow.
  githubApi: 'GITHUB_API_URL',
  githubRepository: 'GITHUB_REPOSITORY',
  githubToken: 'GITHUB_TOKEN',
};

const PREFIX = 'THOTH_';

/** Settings that nobody but this program may see. */
export const SECRETS = ['hubToken', 'githubToken'] as const satisfies (keyof typeof VARIABLES)[];

/** Settings that are paths, or may be; a relative one is meant from the project's root. */
const PATHS = ['extraCa', 'registryCa', 'signKey', 'signingConfig', 'trustedRoot', 'verifyKey'] as const;

/**
 * Reads the settings once, at the edge. A flag goes before a variable, a variable before the project's file, and an
 * empty or blank one says nothing.
 *
 * @param flags what the command line says, by the setting's name
 * @param project the project's root, where its `thoth-release.json` is
 * @throws ReleaseError SETTING_INVALID, CONFIG_INVALID with every fault at once
 */
export function readSettings(
  flags: Readonly<Record<string, string | undefined>>,
  env: NodeJS.ProcessEnv,
  project: string,
): Settings {
  const config = readConfig(project);
  const given = (name: string, variable: string) => flags[name]?.trim() || env[variable]?.trim() || undefined;
  const input: Record<string, string> = {};
  for (const [name, variable] of Object.entries(VARIABLES)) {
    const value = given(name, variable);
    const isPath = PATHS.some((path) => path === name) && !KEY_URI.test(value ?? '');
    if (value !== undefined) input[name] = isPath ? resolve(project, value) : value;
  }
  // Node's own variable already names the certificate authority of a machine behind such a proxy; Node, too,
  // goes on where the file is not there.
  const authority = env.NODE_EXTRA_CA_CERTS?.trim();
  if (input.extraCa === undefined && authority && existsSync(authority)) input.extraCa = resolve(authority);
  const parsed = Settings.safeParse(input);
  if (!parsed.success) {
    throw invalid(
      parsed.error.issues.map((issue) => {
        const name = String(issue.path[0] ?? '');
        return `${VARIABLES[name as keyof typeof VARIABLES] ?? name}: ${issue.message}`;
      }),
    );
  }
  const { sizeLimit = config.policy.sizeLimit, healthPath = config.start.path, ...told } = parsed.data;
  const repository = told.repository ?? config.repository;
  const workflow = readWorkflow(env);
  return {
    ...told,
    ...(repository === undefined ? {} : { repository }),
    registry: told.registry ?? config.registry,
    registryNamed: told.registry !== undefined,
    platforms: told.platforms ?? config.platforms,
    severity: told.severity ?? config.scan.severity,
    licenses: told.licenses ?? config.scan.licenses,
    scanner: told.scanner ?? config.scan.scanner,
    policy: { ...config.policy, sizeLimit },
    start: { ...config.start, path: healthPath },
    build: config.build,
    dockerHub: config.dockerHub,
    ...chartSettings(told, config.chart),
    title: config.title ?? repository?.split('/').at(-1) ?? 'Release',
    ...(config.source === undefined ? {} : { source: config.source }),
    publisher: config.workflow,
    baseImages: readBaseImages(flags.baseImages, env),
    ...(workflow === undefined ? {} : { workflow }),
    token: hasToken(env),
    project,
    home: resolve(project, given('home', 'THOTH_HOME') ?? '.thoth'),
  };
}

/** The chart as flags and variables say, else the project's file. */
function chartSettings(
  told: Pick<Told, 'chart' | 'chartRepository'>,
  { folder, repository, manifests }: Config['chart'],
): Pick<Settings, 'chart' | 'chartRepository' | 'manifests'> {
  const [chart, chartRepository] = [told.chart ?? folder, told.chartRepository ?? repository];
  return {
    ...(chart === undefined ? {} : { chart }),
    ...(chartRepository === undefined ? {} : { chartRepository }),
    ...(manifests === undefined ? {} : { manifests }),
  };
}

/**
 * Base images that somebody named, by their ARG: `THOTH_NODE_IMAGE=ref` for the ARG NODE_IMAGE, or `NODE_IMAGE=ref` in
 * the flag, with commas between.
 *
 * @throws ReleaseError SETTING_INVALID
 */
function readBaseImages(flag = '', env: NodeJS.ProcessEnv): Record<string, string> {
  const known = new Set(Object.values(VARIABLES));
  const pairs = Object.entries(env).flatMap(([name, value = '']): [string, string][] =>
    name.startsWith(PREFIX) && !known.has(name) && value.trim() !== ''
      ? [[name.slice(PREFIX.length), value.trim()]]
      : [],
  );
  for (const part of list(flag)) {
    const [, name, image] = /^(\w+)=(\S+)$/.exec(part) ?? [];
    if (name === undefined || image === undefined)
      throw invalid([`--base-images: "${part}" is not an ARG and an image such as NODE_IMAGE=node:24`]);
    pairs.push([name, image]);
  }
  return Object.fromEntries(pairs);
}

function invalid(faults: string[]): ReleaseError {
  return new ReleaseError(
    'SETTING_INVALID',
    'The settings of the release are not valid.',
    'Mend each setting named below.',
    faults,
  );
}

/**
 * The repository that a release goes to: there is no default for it.
 *
 * @throws ReleaseError SETTING_INVALID
 */
export function repositoryOf({ repository }: Pick<Settings, 'repository'>): string {
  if (repository !== undefined) return repository;
  throw new ReleaseError(
    'SETTING_INVALID',
    'Nothing says which repository the image is released to.',
    `Write it into ${CONFIG_FILE}, as {"repository": "ada/greeter"}; or set THOTH_REPOSITORY.`,
  );
}

/**
 * The Helm chart that is released with the image, by its folder in the project, and where it goes; `undefined` where the
 * project has none. Docker Hub has no deeper names than two parts, and the image has the shorter one.
 */
export function chartOf(
  settings: Pick<Settings, 'repository' | 'chart' | 'chartRepository'>,
): { folder: string; repository: string } | undefined {
  const { chart, chartRepository } = settings;
  if (chart === undefined || chart === 'none') return undefined;
  return { folder: chart, repository: chartRepository ?? `${repositoryOf(settings)}-chart` };
}

/** The text of the project's Dockerfile; `undefined` where there is none. */
export async function readDockerfile({
  project,
  build,
}: Pick<Settings, 'project' | 'build'>): Promise<string | undefined> {
  return (await readIfThere(join(project, build.dockerfile)))?.toString();
}
