import type { File } from '@dagger.io/dagger';
import { base } from './base.ts';
import { BUNDLER, bundleRelease, ENGINE_SOURCES, installDependencies, PATHS } from './command.ts';
import type { Pipeline } from './pipeline.ts';

/**
 * Bundles `thoth-release` into one file. Only the module's own repository is in it: another source does not bundle it
 * anew, and no code of the project that is released is installed or run for it.
 *
 * @throws Error naming what to set, where `engine` is no checkout of that repository
 */
export async function bundle(pipeline: Pipeline): Promise<File> {
  const { engine } = pipeline;
  if (!(await engine.exists(BUNDLER))) throw new Error(NO_ENGINE);
  let box = base(pipeline).withWorkdir(PATHS.engine);
  for (const file of ['package.json', 'package-lock.json']) box = box.withFile(file, engine.file(file));
  return box
    .withExec(installDependencies())
    .withDirectory(ENGINE_SOURCES, engine.directory(ENGINE_SOURCES))
    .withExec(bundleRelease())
    .file(PATHS.bundle);
}

/** A toolchain's default paths are those of the project that has it installed. */
const NO_ENGINE = [
  `The engine's folder has no ${BUNDLER}: it is no checkout of Thoth.`,
  'Name one before the function, at the version of the module: --engine https://github.com/marcopancotti/thoth#v1.0.0',
].join('\n');
