import { type Container, dag } from '@dagger.io/dagger';
import { PATHS } from './command.ts';
import type { Pipeline } from './pipeline.ts';

/** The toolbox image with git, npm's cache and the extra certificate authority set up, and no project. */
export function base(pipeline: Pipeline): Container {
  let container = dag
    .container()
    .from(pipeline.toolboxImage)
    .withMountedCache('/root/.npm', dag.cacheVolume('thoth-npm'))
    // The files belong to another user than the one that runs git here.
    .withEnvVariable('GIT_CONFIG_COUNT', '1')
    .withEnvVariable('GIT_CONFIG_KEY_0', 'safe.directory')
    .withEnvVariable('GIT_CONFIG_VALUE_0', '*')
    .withEnvVariable('CI', 'true')
    .withWorkdir(PATHS.project);
  if (pipeline.npmRegistry !== undefined) {
    container = container.withEnvVariable('NPM_CONFIG_REGISTRY', pipeline.npmRegistry);
  }
  if (pipeline.extraCa === undefined) return container;
  const file = `${PATHS.extraCa}/extra-ca.pem`;
  return container
    .withMountedSecret(file, pipeline.extraCa)
    .withEnvVariable('NODE_EXTRA_CA_CERTS', file)
    .withEnvVariable('SSL_CERT_DIR', `/etc/ssl/certs:${PATHS.extraCa}`); // read by the Go programs
}
