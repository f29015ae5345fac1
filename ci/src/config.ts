import type { Container, Directory, Platform } from '@dagger.io/dagger';
import { PATHS, sayConfig } from './command.ts';
import type { Pipeline } from './pipeline.ts';
import { run, toolbox } from './toolbox.ts';

/** What an engine has to know of how the project's image is released; `thoth-release config` decides it. */
export interface Config {
  readonly registry: string;
  /** `undefined` where nothing names it. */
  readonly repository: string | undefined;
  readonly platforms: readonly Platform[];
  readonly build: {
    readonly dockerfile: string;
    readonly context: string;
    readonly args: Readonly<Record<string, string>>;
    /** When the commit was made, in Unix seconds. */
    readonly epoch: number;
  };
  readonly start: {
    readonly path: string;
    /** `undefined` where the project names none, and no layout was looked at. */
    readonly port: number | undefined;
    readonly env: Readonly<Record<string, string>>;
  };
}

/**
 * Asks how the project's image is released: by its `thoth-release.json`, and by what the module was told over it.
 *
 * @param of.tag the release whose build arguments are asked for; without one, those of `0.0.0-dev`
 * @param of.layout where it listens is asked for
 * @throws Error for a file that is not valid, naming every fault
 */
export async function readConfig(
  pipeline: Pipeline,
  of: { readonly tag?: string | undefined; readonly layout?: Directory } = {},
): Promise<Config> {
  let box = withTarget(await toolbox(pipeline), pipeline);
  if (of.layout !== undefined) box = box.withMountedDirectory(PATHS.layout, of.layout);
  const done = await run('config', box, sayConfig(of.tag, of.layout !== undefined));
  return parseConfig(await done.stdout());
}

/** What the module was told of the registry goes before what the file says. */
function withTarget(container: Container, { registry, repository }: Pipeline): Container {
  let box = container;
  if (registry !== undefined) box = box.withEnvVariable('THOTH_REGISTRY', registry);
  if (repository !== undefined) box = box.withEnvVariable('THOTH_REPOSITORY', repository);
  return box;
}

/** Reads what `thoth-release config --json` prints. @throws Error for anything else */
export function parseConfig(json: string): Config {
  const value = record(JSON.parse(json), 'it');
  const [build, start] = [record(value.build, 'build'), record(value.start, 'start')];
  const { repository, platforms } = value;
  if (!Array.isArray(platforms) || platforms.length === 0) throw unreadable('platforms');
  return {
    registry: text(value.registry, 'registry'),
    repository: repository === undefined ? undefined : text(repository, 'repository'),
    platforms: platforms.map((platform) => text(platform, 'platforms') as Platform),
    build: {
      dockerfile: text(build.dockerfile, 'build.dockerfile'),
      context: text(build.context, 'build.context'),
      args: texts(build.args, 'build.args'),
      epoch: number(build.epoch, 'build.epoch'),
    },
    start: {
      path: text(start.path, 'start.path'),
      port: start.port === undefined ? undefined : number(start.port, 'start.port'),
      env: texts(start.env, 'start.env'),
    },
  };
}

function record(value: unknown, path: string): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw unreadable(path);
  return value as Record<string, unknown>;
}

function text(value: unknown, path: string): string {
  if (typeof value !== 'string') throw unreadable(path);
  return value;
}

function number(value: unknown, path: string): number {
  if (typeof value !== 'number') throw unreadable(path);
  return value;
}

function texts(value: unknown, path: string): Record<string, string> {
  const entries = Object.entries(record(value, path));
  return Object.fromEntries(entries.map(([name, entry]) => [name, text(entry, `${path}.${name}`)]));
}

function unreadable(path: string): Error {
  return new Error(`thoth-release printed no configuration that this module can read: ${path}.`);
}
