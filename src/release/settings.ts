import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from './errors.ts';
import { readIfThere } from './machine/file.ts';
import { isLoopback } from './machine/loopback.ts';
import { hasToken, readWorkflow, type WorkflowRun } from './machine/workflow.ts';

const DOCKERFILE_ARG = /^ARG (NODE_IMAGE|RUNTIME_IMAGE)=(\S+)$/gm;

/** OCI distribution spec, "pulling manifests": the name. */
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const HOST = /^(?:\[[0-9a-f:]+\]|[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::[0-9]{1,5})?$/i;

const repositoryName = z
  .string()
  .max(255, 'is longer than 255 characters')
  .regex(REPOSITORY, {
    error: ({ input }) => `"${input}" is not a repository name such as marcopancotti/thoth`,
  });

const oneOf = <T extends string>(...values: [T, ...T[]]) =>
  z.enum(values, { error: ({ input }) => `"${input}" is none of ${values.join(', ')}` });

export const Severity = oneOf('CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN');
export type Severity = z.infer<typeof Severity>;

/** What a licence asks for, as Trivy sorts them after Google's licenseclassifier. */
export const LicenseCategory = oneOf(
  'forbidden',
  'restricted',
  'reciprocal',
  'notice',
  'permissive',
  'unencumbered',
  'unknown',
);
export type LicenseCategory = z.infer<typeof LicenseCategory>;

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

/** Everything about a release that a user may change, from flags first, then the environment. */
const Settings = z.object({
  registry: host.default('docker.io'),
  repository: repositoryName.default('marcopancotti/thoth'),
  /** Folder of the Helm chart that is released with the image, or `none`; {@link chartOf} has the default. */
  chart: z.string().optional(),
  /** Where the chart goes, in the same registry. Its last part becomes the chart's name. */
  chartRepository: repositoryName.optional(),
  platforms: z
    .string()
    .default('linux/amd64,linux/arm64')
    .transform(list)
    .pipe(
      z
        .array(
          z.string().regex(/^linux\/[a-z0-9]+$/, {
            error: ({ input }) => `"${input}" is not a platform such as linux/arm64`,
          }),
        )
        .min(1, 'names no platform'),
    ),
  /** Base image of the Dockerfile's build stage; the Dockerfile's own default where unset. */
  nodeImage: z.string().optional(),
  /** Base image of its final stage. */
  runtimeImage: z.string().optional(),
  /** PEM file of a proxy's certificate authority, for build steps that use the network. */
  extraCa: file.optional(),
  /** Mirror of the npm registry, for build steps. */
  npmRegistry: uri.optional(),
  /** Findings of these severities with a fix stop a release. */
  severity: z
    .string()
    .toUpperCase()
    .default('HIGH,CRITICAL')
    .transform(list)
    .pipe(z.array(Severity).min(1, 'names no severity')),
  /** Licences of these categories stop a release: of code in the program; of the distribution only forbidden ones. */
  licenses: z
    .string()
    .toLowerCase()
    .default('forbidden,restricted')
    .transform(list)
    .pipe(z.array(LicenseCategory).min(1, 'names no category')),
  /** Who looks for vulnerabilities. Trivy always looks for the rest; Scout needs Docker's CLI, logged in. */
  scanner: oneOf('trivy', 'scout', 'both').default('trivy'),
  /** The most megabytes a platform may have, compressed. */
  sizeLimit: z
    .string()
    .default('500')
    .transform(Number)
    .pipe(z.number('is not a number of megabytes').positive('is not a number of megabytes')),
  /** Where Trivy fetches its database from, in place of its own default. */
  trivyDb: z.string().optional(),
  /** What `/health` is called. */
  healthPath: z.string().startsWith('/', 'does not begin with /').default('/health'),
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
export type Settings = z.infer<typeof Settings> & {
  readonly home: string;
  readonly project: string;
  /** The GitHub workflow that this is a part of. */
  readonly workflow?: WorkflowRun;
  /** Whether an OIDC token can be had without asking a person. */
  readonly token: boolean;
  /** Whether the registry was named, and is not just the default. */
  readonly registryNamed: boolean;
};

/** The environment variable behind each setting. */
export const VARIABLES: Readonly<Record<keyof z.infer<typeof Settings>, string>> = {
  registry: 'THOTH_REGISTRY',
  repository: 'THOTH_REPOSITORY',
  chart: 'THOTH_CHART',
  chartRepository: 'THOTH_CHART_REPOSITORY',
  platforms: 'THOTH_PLATFORMS',
  nodeImage: 'THOTH_NODE_IMAGE',
  runtimeImage: 'THOTH_RUNTIME_IMAGE',
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

/** Settings that nobody but this program may see. */
export const SECRETS = ['hubToken', 'githubToken'] as const satisfies (keyof typeof VARIABLES)[];

/** Settings that are paths, or may be; a relative one is meant from the project's root. */
const PATHS = ['extraCa', 'registryCa', 'signKey', 'signingConfig', 'trustedRoot', 'verifyKey'] as const;

/**
 * Reads the settings once, at the edge. A flag goes before a variable, and an empty or blank one says nothing.
 *
 * @param flags what the command line says, by the setting's name
 * @param project the project's root, where the Dockerfile is
 * @throws ReleaseError SETTING_INVALID with every fault at once
 */
export function readSettings(
  flags: Readonly<Record<string, string | undefined>>,
  env: NodeJS.ProcessEnv,
  project: string,
): Settings {
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
    const faults = parsed.error.issues.map((issue) => {
      const name = String(issue.path[0] ?? '');
      return `${VARIABLES[name as keyof typeof VARIABLES] ?? name}: ${issue.message}`;
    });
    throw new ReleaseError(
      'SETTING_INVALID',
      'The settings of the release are not valid.',
      'Mend each setting named below.',
      faults,
    );
  }
  const workflow = readWorkflow(env);
  return {
    ...parsed.data,
    ...(workflow === undefined ? {} : { workflow }),
    token: hasToken(env),
    project,
    home: resolve(project, given('home', 'THOTH_HOME') ?? '.thoth'),
    registryNamed: input.registry !== undefined,
  };
}

const CHART = 'deploy/helm/thoth';

/**
 * The Helm chart that is released with the image, by its folder in the project, and where it goes; `undefined` where the
 * project has none. Docker Hub has no deeper names than two parts, and the image has the shorter one.
 */
export function chartOf({
  project,
  repository,
  chart,
  chartRepository = `${repository}-chart`,
}: Pick<Settings, 'project' | 'repository' | 'chart' | 'chartRepository'>):
  | { folder: string; repository: string }
  | undefined {
  const there = chart !== undefined || existsSync(join(project, CHART, 'Chart.yaml'));
  if (!there || chart === 'none') return undefined;
  return { folder: chart ?? CHART, repository: chartRepository };
}

/** The text of the project's Dockerfile; `undefined` where there is none. */
export async function readDockerfile(project: string): Promise<string | undefined> {
  return (await readIfThere(join(project, 'Dockerfile')))?.toString();
}

/**
 * The Dockerfile's default base images: the one place that pins them.
 *
 * @throws ReleaseError SETTING_INVALID where the Dockerfile is missing or names none
 */
export function dockerfileImages(project: string): { node: string; runtime: string } {
  const path = join(project, 'Dockerfile');
  const text = existsSync(path) ? readFileSync(path, 'utf8') : '';
  const found = new Map([...text.matchAll(DOCKERFILE_ARG)].map((match) => [match[1], match[2]]));
  const [node, runtime] = [found.get('NODE_IMAGE'), found.get('RUNTIME_IMAGE')];
  if (node === undefined || runtime === undefined) {
    throw new ReleaseError(
      'SETTING_INVALID',
      `${path} is missing, or names no default for NODE_IMAGE and RUNTIME_IMAGE.`,
      'Run this in the root of the project; give each a line such as "ARG NODE_IMAGE=...".',
    );
  }
  return { node, runtime };
}
