import { randomUUID } from 'node:crypto';
import { CacheSharingMode, type Container, dag } from '@dagger.io/dagger';
import { bundleRelease, installDependencies, PATHS } from './command.ts';
import { explained } from './exit-code.ts';
import type { Pipeline } from './pipeline.ts';

/** Programs a stage asks for on top of Node and git; only what is asked for is pulled. */
export type Tool = 'regctl' | 'trivy' | 'cosign';

const BIN = '/usr/local/bin';

/** Where each tool's program is: in which image, and under what path. */
const PROGRAMS: Readonly<Record<Tool, readonly [image: keyof Pipeline & `${Tool}Image`, path: string]>> = {
  regctl: ['regctlImage', '/regctl'],
  cosign: ['cosignImage', '/ko-app/cosign'],
  trivy: ['trivyImage', '/usr/local/bin/trivy'],
};

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

/** The project with its npm packages, no release engine: for tests and linters. */
export function workshop(pipeline: Pipeline): Container {
  return dependencies(pipeline).withDirectory('.', pipeline.source);
}

/** The project with `dist/thoth-release.mjs` and the tools asked for. */
export function toolbox(pipeline: Pipeline, tools: readonly Tool[] = []): Container {
  const bundle = dependencies(pipeline)
    .withDirectory('.', pipeline.source.filter({ include: ['src', 'tsconfig.json'] }))
    .withExec(bundleRelease())
    .file(PATHS.program);
  let container = workshop(pipeline).withFile(PATHS.program, bundle);
  if (pipeline.chartRepository !== undefined) {
    container = container.withEnvVariable('THOTH_CHART_REPOSITORY', pipeline.chartRepository);
  }
  for (const tool of tools) {
    const [image, path] = PROGRAMS[tool];
    container = container.withFile(`${BIN}/${tool}`, dag.container().from(pipeline[image]).file(path));
  }
  if (tools.includes('trivy')) {
    // Locked: Trivy's database is one file that one process may write.
    container = container.withMountedCache(PATHS.trivyCache, dag.cacheVolume('thoth-trivy'), {
      sharing: CacheSharingMode.Locked,
    });
    if (pipeline.trivyDatabase !== undefined) {
      container = container.withEnvVariable('THOTH_TRIVY_DB', pipeline.trivyDatabase);
    }
  }
  return container;
}

function dependencies(pipeline: Pipeline): Container {
  const { source } = pipeline;
  return base(pipeline)
    .withFile('package.json', source.file('package.json'))
    .withFile('package-lock.json', source.file('package-lock.json'))
    .withExec(installDependencies());
}

/** Makes every command that follows run anew: the engine would answer an equal one from its cache. */
export function uncached(container: Container): Container {
  return container.withEnvVariable('THOTH_RUN', randomUUID());
}

/** Runs a command to its end now, so that its failure is ours to explain. @throws Error as `explained` makes it */
export function run(stage: string, container: Container, command: string[]): Promise<Container> {
  return attempt(stage, () => container.withExec(command).sync());
}

/** Does `work` and explains its failure by `stage`. @throws Error as `explained` makes it */
export async function attempt<T>(
  stage: string,
  work: () => Promise<T>,
  meanings?: Readonly<Record<number, string>>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw explained(stage, error, meanings);
  }
}
