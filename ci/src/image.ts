import { posix } from 'node:path';
import {
  type Container,
  type Directory,
  dag,
  type File,
  ImageLayerCompression,
  ImageMediaTypes,
  type Platform,
  type Secret,
  type Service,
} from '@dagger.io/dagger';
import { base } from './base.ts';
import { makeLayout, PATHS, packLayout, startPlatform } from './command.ts';
import { type Config, readConfig } from './config.ts';
import type { Pipeline } from './pipeline.ts';
import { attempt, run, toolbox, uncached } from './toolbox.ts';

const ALIAS = 'image';

/**
 * Builds the Dockerfile for one platform.
 *
 * @param tag the release it is labelled with
 */
export async function buildImage(pipeline: Pipeline, platform: Platform, tag?: string): Promise<Container> {
  return build(pipeline, platform, await readConfig(pipeline, { tag }), await buildSecrets(pipeline));
}

/** Builds every platform and makes the release's OCI layout of them. */
export async function buildLayout(pipeline: Pipeline, tag?: string): Promise<Directory> {
  const config = await readConfig(pipeline, { tag });
  const secrets = await buildSecrets(pipeline);
  const platformVariants = await Promise.all(
    config.platforms.map((platform) => build(pipeline, platform, config, secrets)),
  );
  // One compression and one kind of media types, named: else a digest depends on what the engine has cached.
  const archive = dag.container().asTarball({
    platformVariants,
    forcedCompression: ImageLayerCompression.Gzip,
    mediaTypes: ImageMediaTypes.Oci,
  });
  const box = (await toolbox(pipeline, ['regctl'])).withMountedFile(PATHS.archive, archive);
  return (await run('layout', box, makeLayout())).directory(PATHS.layout);
}

/**
 * Starts every platform of a layout, one after the other, and waits until each is healthy. What runs is
 * imported from the layout itself, so it is the very bytes that will be pushed, with the project's variables
 * over them; the engine emulates the platforms that are not its own.
 *
 * @returns the evidence: a record a platform with digest and seconds
 */
export async function startPlatforms(pipeline: Pipeline, layout: Directory): Promise<File> {
  const archive = base(pipeline)
    .withMountedDirectory(PATHS.layout, layout)
    .withExec(packLayout())
    .file(PATHS.archive);
  const { platforms, start } = await readConfig(pipeline, { layout });
  const { port } = start;
  if (port === undefined) throw new Error('thoth-release did not say where the image listens.');
  const tools = await toolbox(pipeline);
  let evidence: File | undefined;
  for (const platform of platforms) {
    const service = withVariables(dag.container({ platform }).import_(archive), start.env)
      // thoth-release does the waiting: it has a time limit, and says what the last answer was.
      .withExposedPort(port, { experimentalSkipHealthcheck: true })
      .asService({ useEntrypoint: true });
    let box = uncached(tools).withMountedDirectory(PATHS.layout, layout).withServiceBinding(ALIAS, service);
    if (evidence !== undefined) box = box.withFile(PATHS.evidence, evidence);
    const done = await run(
      `start ${platform}`,
      box,
      startPlatform(platform, `http://${ALIAS}:${port}${start.path}`),
    );
    evidence = done.file(PATHS.evidence);
  }
  if (evidence === undefined) throw new Error('There is no platform to start.');
  return evidence;
}

/** The image as a service on its port; where the project names none, on each that the image exposes. */
export async function serveImage(pipeline: Pipeline, image: Container): Promise<Service> {
  const { start } = await readConfig(pipeline);
  const ports =
    start.port === undefined
      ? await Promise.all((await image.exposedPorts()).map((port) => port.port()))
      : [start.port];
  if (ports.length === 0)
    throw new Error('The image exposes no port: write start.port into thoth-release.json.');
  let container = image;
  for (const port of ports) container = container.withExposedPort(port);
  return container.asService({ useEntrypoint: true });
}

function withVariables(container: Container, variables: Readonly<Record<string, string>>): Container {
  let box = container;
  for (const [name, value] of Object.entries(variables)) box = box.withEnvVariable(name, value);
  return box;
}

async function build(
  pipeline: Pipeline,
  platform: Platform,
  { build: how }: Pick<Config, 'build'>,
  secrets: readonly Secret[],
): Promise<Container> {
  const folder =
    posix.normalize(how.context) === '.' ? pipeline.source : pipeline.source.directory(how.context);
  const options = {
    dockerfile: dockerfileIn(how.context, how.dockerfile),
    platform,
    buildArgs: buildArguments(how),
    // Copied: the SDK replaces the objects in an argument's array by their identifiers, in place.
    secrets: [...secrets],
  };
  // The exit codes of a build step are not ours.
  return attempt(`build ${platform}`, () => folder.dockerBuild(options).sync(), {});
}

/** What the project asks for, and the time that every file gets, as the local builder gives it. */
function buildArguments({
  args,
  epoch,
}: Pick<Config['build'], 'args' | 'epoch'>): { name: string; value: string }[] {
  return Object.entries({ ...args, SOURCE_DATE_EPOCH: String(epoch) }).map(([name, value]) => ({
    name,
    value,
  }));
}

/** The Dockerfile by its path in the build context. @throws Error where it is outside: the engine looks only there */
function dockerfileIn(context: string, dockerfile: string): string {
  const path = posix.relative(context, dockerfile);
  if (!path.startsWith('..')) return path;
  throw new Error(
    `Dagger reads the Dockerfile out of the build context, and ${dockerfile} is not in ${context}: move it there, or make "." the context.`,
  );
}

/** A build secret goes by its own name, so the caller's is given the one the Dockerfile asks for. */
async function buildSecrets(pipeline: Pipeline): Promise<Secret[]> {
  if (pipeline.extraCa === undefined) return [];
  return [dag.setSecret('extra_ca', await pipeline.extraCa.plaintext())];
}
