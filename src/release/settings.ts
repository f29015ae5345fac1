import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from './errors.ts';

const DOCKERFILE_ARG = /^ARG (NODE_IMAGE|RUNTIME_IMAGE)=(\S+)$/gm;

const Severity = z.enum(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN']);
export type Severity = z.infer<typeof Severity>;

const list = (text: string) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');

/** Everything about a release that a user may change, from flags first, then the environment. */
const Settings = z.object({
  registry: z.string().min(1).default('docker.io'),
  repository: z
    .string()
    .regex(/^[a-z0-9]+(?:[._/-]+[a-z0-9]+)*$/, 'not a repository name (OCI distribution spec)')
    .default('marcopancotti/thoth'),
  platforms: z
    .string()
    .default('linux/amd64,linux/arm64')
    .transform(list)
    .pipe(z.array(z.string().regex(/^linux\/[a-z0-9]+$/, 'not a platform such as linux/arm64')).min(1)),
  /** Base image of the Dockerfile's build stage; the Dockerfile's own default where unset. */
  nodeImage: z.string().optional(),
  /** Base image of its final stage. */
  runtimeImage: z.string().optional(),
  /** PEM file of a proxy's certificate authority, for build steps that use the network. */
  extraCa: z.string().optional(),
  /** Findings of these severities with a fix stop a release. */
  severity: z.string().default('HIGH,CRITICAL').transform(list).pipe(z.array(Severity).min(1)),
  /** Where Trivy fetches its database from, in place of its own default. */
  trivyDb: z.string().optional(),
  /** What `/health` is called. */
  healthPath: z.string().startsWith('/').default('/health'),
  /** `auto` takes Docker with buildx where it runs, else buildah. */
  builder: z.enum(['auto', 'buildx', 'buildah']).default('auto'),
  /** Registry hosts that are spoken to without TLS; loopback always is, unless `registryCa` is given. */
  plainHttp: z.string().default('').transform(list),
  /** PEM file of the certificate authority that signed the registry's certificate. */
  registryCa: z.string().optional(),
});
export type Settings = z.infer<typeof Settings> & {
  readonly home: string;
  readonly project: string;
  /** Whether the registry was named, and is not just the default. */
  readonly registryNamed: boolean;
};

/** The environment variable behind each setting. */
export const VARIABLES: Readonly<Record<keyof z.infer<typeof Settings>, string>> = {
  registry: 'THOTH_REGISTRY',
  repository: 'THOTH_REPOSITORY',
  platforms: 'THOTH_PLATFORMS',
  nodeImage: 'THOTH_NODE_IMAGE',
  runtimeImage: 'THOTH_RUNTIME_IMAGE',
  extraCa: 'THOTH_EXTRA_CA',
  severity: 'THOTH_SEVERITY',
  trivyDb: 'THOTH_TRIVY_DB',
  healthPath: 'THOTH_HEALTH_PATH',
  builder: 'THOTH_BUILDER',
  plainHttp: 'THOTH_REGISTRY_PLAIN_HTTP',
  registryCa: 'THOTH_REGISTRY_CA',
};

/**
 * Reads the settings once, at the edge.
 *
 * @param flags what the command line says; `undefined` where it says nothing
 * @param project the project's root, where the Dockerfile is
 * @throws ReleaseError SETTING_INVALID with every fault at once
 */
export function readSettings(
  flags: Readonly<Record<string, string | undefined>>,
  env: NodeJS.ProcessEnv,
  project: string,
): Settings {
  const input: Record<string, string> = {};
  for (const [name, variable] of Object.entries(VARIABLES)) {
    const value = flags[name] ?? env[variable];
    if (value !== undefined && value !== '') input[name] = value;
  }
  // Node's own variable already names the certificate authority of a machine behind such a proxy.
  if (input.extraCa === undefined && env.NODE_EXTRA_CA_CERTS) input.extraCa = env.NODE_EXTRA_CA_CERTS;
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
  return {
    ...parsed.data,
    project,
    home: resolve(project, flags.home ?? env.THOTH_HOME ?? '.thoth'),
    registryNamed: input.registry !== undefined,
  };
}

/** The Dockerfile's default base images: the one place that pins them. */
export function dockerfileImages(project: string): { node: string; runtime: string } {
  const text = readFileSync(join(project, 'Dockerfile'), 'utf8');
  const found = new Map([...text.matchAll(DOCKERFILE_ARG)].map((match) => [match[1], match[2]]));
  const [node, runtime] = [found.get('NODE_IMAGE'), found.get('RUNTIME_IMAGE')];
  if (node === undefined || runtime === undefined) {
    throw new ReleaseError(
      'SETTING_INVALID',
      'The Dockerfile names no default for NODE_IMAGE and RUNTIME_IMAGE.',
      'Give each a line such as "ARG NODE_IMAGE=...".',
    );
  }
  return { node, runtime };
}
