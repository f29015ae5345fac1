import { type Container, dag, type Secret, type Service } from '@dagger.io/dagger';
import { PATHS, type Target } from './command.ts';
import { readConfig } from './config.ts';
import type { Pipeline } from './pipeline.ts';

const ALIAS = 'registry';
const REGISTRY_PORT = 5000;
/** The key under which Docker keeps Docker Hub's credentials. */
const DOCKER_HUB_KEY = 'https://index.docker.io/v1/';

/** A registry, and what a container needs to reach it. */
export interface Access {
  readonly target: Target;
  readonly service?: Service | undefined;
  readonly config?: Secret | undefined;
}

/**
 * How the pipeline reaches its registry, reading only: without credentials, anonymously.
 *
 * @throws Error where nothing names the repository
 */
export async function registryAccess(pipeline: Pipeline): Promise<Access> {
  const { registryService: service } = pipeline;
  const { registry: named, repository } = await readConfig(pipeline);
  if (repository === undefined) throw new Error(NO_REPOSITORY);
  const registry = service === undefined ? named : `${ALIAS}:${await firstPort(service, REGISTRY_PORT)}`;
  const { registryUser: user, registryToken: token } = pipeline;
  const target = { registry, repository };
  if (user === undefined || user === '' || token === undefined) return { target, service };
  const config = dag.setSecret('thoth-docker-config', dockerConfig(registry, user, await token.plaintext()));
  return { target, service, config };
}

/** The same for a command that writes. @throws Error as `assertCredentials` does */
export async function writeAccess(pipeline: Pipeline, dryRun: boolean): Promise<Access> {
  assertCredentials(pipeline, dryRun);
  return registryAccess(pipeline);
}

/**
 * @throws Error naming what to set, where the registry is a real one and a credential is missing; nothing
 *   has been built or pulled by then
 */
export function assertCredentials(pipeline: Pipeline, dryRun: boolean): void {
  const missing = missingCredentials(pipeline);
  if (missing.length === 0 || pipeline.registryService !== undefined || dryRun) return;
  throw new Error(refusal(pipeline, missing));
}

/** The constructor arguments that a push needs and that were not given. */
export function missingCredentials(pipeline: Pick<Pipeline, 'registryUser' | 'registryToken'>): string[] {
  return [
    ...(pipeline.registryUser === undefined || pipeline.registryUser === '' ? ['registryUser'] : []),
    ...(pipeline.registryToken === undefined ? ['registryToken'] : []),
  ];
}

/** Why a push without credentials is refused, and each way to give them. */
export function refusal(pipeline: Pick<Pipeline, 'registry' | 'repository'>, missing: string[]): string {
  const { registry, repository } = pipeline;
  const where = [registry ?? 'the registry', ...(repository === undefined ? [] : [repository])].join('/');
  return [
    `Nothing was built: writing to ${where} needs ${missing.join(' and ')}.`,
    'Give them as flags before the function: dagger call --registry-user NAME --registry-token env://DOCKERHUB_TOKEN ...',
    'or once in the file .env: THOTH_registryUser=NAME and THOTH_registryToken=env://DOCKERHUB_TOKEN',
    'or see what would happen with --dry-run.',
  ].join('\n');
}

/** The contents of a Docker `config.json` with one login. It holds the token: it is to be a secret. */
export function dockerConfig(registry: string, user: string, token: string): string {
  const key = registry === 'docker.io' ? DOCKER_HUB_KEY : registry;
  const auth = Buffer.from(`${user}:${token.trim()}`).toString('base64');
  return JSON.stringify({ auths: { [key]: { auth } } });
}

const NO_REPOSITORY = [
  'Nothing says which repository the image is released to.',
  'Write it into thoth-release.json, as {"repository": "ada/greeter"}; or give --repository before the function.',
].join('\n');

/** Gives a container its way to the registry: the service it is bound to, the credentials as a file. */
export function withAccess(container: Container, access: Access): Container {
  let box = container;
  if (access.service !== undefined) {
    // thoth-release speaks plain HTTP to a host other than loopback only where it is named.
    box = box
      .withServiceBinding(ALIAS, access.service)
      .withEnvVariable('THOTH_REGISTRY_PLAIN_HTTP', access.target.registry);
  }
  if (access.config !== undefined) {
    box = box
      .withMountedSecret(`${PATHS.dockerConfig}/config.json`, access.config)
      .withEnvVariable('DOCKER_CONFIG', PATHS.dockerConfig);
  }
  return box;
}

/** An empty registry for a rehearsal. @param nonce keeps it apart from that of another rehearsal */
export function rehearsalRegistry(pipeline: Pipeline, nonce: string): Service {
  return dag
    .container()
    .from(pipeline.registryImage)
    .withEnvVariable('THOTH_RUN', nonce)
    .withExposedPort(REGISTRY_PORT)
    .asService({ useEntrypoint: true });
}

async function firstPort(service: Service, otherwise: number): Promise<number> {
  const [port] = await service.ports();
  return port === undefined ? otherwise : port.port();
}
