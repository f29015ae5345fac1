import { randomUUID } from 'node:crypto';
import { CacheSharingMode, type Container, dag } from '@dagger.io/dagger';
import { base } from './base.ts';
import { installDependencies, PATHS } from './command.ts';
import { bundle } from './engine.ts';
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

/** The project with its npm packages, no release engine: for tests and linters. */
export function workshop(pipeline: Pipeline): Container {
  const { source } = pipeline;
  return base(pipeline)
    .withFile('package.json', source.file('package.json'))
    .withFile('package-lock.json', source.file('package-lock.json'))
    .withExec(installDependencies())
    .withDirectory('.', source);
}

/** The project as it was given, `thoth-release`, and the tools asked for. @throws Error as `bundle` does */
export async function toolbox(pipeline: Pipeline, tools: readonly Tool[] = []): Promise<Container> {
  let container = base(pipeline)
    .withFile(PATHS.program, await bundle(pipeline))
    .withDirectory('.', pipeline.source)
    .withEnvVariable('THOTH_HOME', PATHS.home);
  for (const { name, value } of settings(pipeline)) container = container.withEnvVariable(name, value);
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

/** What goes before the project's file in every command: the build and the provenance must say the same. */
function settings({ chartRepository, npmRegistry, baseImages }: Pipeline): { name: string; value: string }[] {
  return [
    ...(chartRepository === undefined ? [] : [{ name: 'THOTH_CHART_REPOSITORY', value: chartRepository }]),
    ...(npmRegistry === undefined ? [] : [{ name: 'THOTH_NPM_REGISTRY', value: npmRegistry }]),
    ...baseImages.map(parseBaseImage),
  ];
}

/** The variable for a base image, by the ARG that names it. @throws Error for anything but `ARG=reference` */
function parseBaseImage(text: string): { name: string; value: string } {
  const [, argument, value] = /^(\w+)=(\S+)$/.exec(text.trim()) ?? [];
  if (argument === undefined || value === undefined) {
    throw new Error(`--base-images: "${text}" is not an ARG and an image such as NODE_IMAGE=node:24.`);
  }
  return { name: `THOTH_${argument}`, value };
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
