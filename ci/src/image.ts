import {
  type Container,
  type Directory,
  dag,
  ExistsType,
  type File,
  ImageLayerCompression,
  ImageMediaTypes,
  type Platform,
  type Secret,
  type Service,
} from '@dagger.io/dagger';
import { makeLayout, PATHS, packLayout, showCommit, startPlatform } from './command.ts';
import { buildArguments, type Commit, NO_COMMIT, parseCommit } from './commit.ts';
import { type Pipeline, PLATFORMS } from './pipeline.ts';
import { attempt, base, run, toolbox, uncached } from './toolbox.ts';

const PORT = 8000;
const ALIAS = 'thoth';

/** What a build takes besides the platform; read once for all platforms. */
interface BuildInput {
  readonly buildArgs: { name: string; value: string }[];
  readonly secrets: Secret[];
}

/**
 * Builds the Dockerfile for one platform.
 *
 * @param tag the release it is labelled with
 */
export async function buildImage(pipeline: Pipeline, platform: Platform, tag?: string): Promise<Container> {
  return build(pipeline, platform, await buildInput(pipeline, tag));
}

/** Builds every platform and makes the release's OCI layout of them. */
export async function buildLayout(pipeline: Pipeline, tag?: string): Promise<Directory> {
  const input = await buildInput(pipeline, tag);
  const platformVariants = await Promise.all(PLATFORMS.map((platform) => build(pipeline, platform, input)));
  // One compression and one kind of media types, named: else a digest depends on what the engine has cached.
  const archive = dag.container().asTarball({
    platformVariants,
    forcedCompression: ImageLayerCompression.Gzip,
    mediaTypes: ImageMediaTypes.Oci,
  });
  const box = toolbox(pipeline, ['regctl']).withMountedFile(PATHS.archive, archive);
  return (await run('layout', box, makeLayout())).directory(PATHS.layout);
}

/**
 * Starts every platform of a layout, one after the other, and waits until each is healthy. What runs is
 * imported from the layout itself, so it is the very bytes that will be pushed; the engine emulates the
 * platforms that are not its own.
 *
 * @returns the evidence: a record a platform with digest and seconds
 */
export async function startPlatforms(pipeline: Pipeline, layout: Directory): Promise<File> {
  const archive = base(pipeline)
    .withMountedDirectory(PATHS.layout, layout)
    .withExec(packLayout())
    .file(PATHS.archive);
  let evidence: File | undefined;
  for (const platform of PLATFORMS) {
    const service = dag
      .container({ platform })
      .import_(archive)
      // thoth-release does the waiting: it has a time limit, and says what the last answer was.
      .withExposedPort(PORT, { experimentalSkipHealthcheck: true })
      .asService({ useEntrypoint: true });
    let box = uncached(toolbox(pipeline))
      .withMountedDirectory(PATHS.layout, layout)
      .withServiceBinding(ALIAS, service);
    if (evidence !== undefined) box = box.withFile(PATHS.evidence, evidence);
    const done = await run(
      `start ${platform}`,
      box,
      startPlatform(platform, `http://${ALIAS}:${PORT}/health`),
    );
    evidence = done.file(PATHS.evidence);
  }
  if (evidence === undefined) throw new Error('There is no platform to start.');
  return evidence;
}

/** The image as a service on its port. */
export function serveImage(image: Container): Service {
  return image.withExposedPort(PORT).asService({ useEntrypoint: true });
}

async function build(pipeline: Pipeline, platform: Platform, input: BuildInput): Promise<Container> {
  // Copied: the SDK replaces the objects in an argument's array by their identifiers, in place.
  const secrets = [...input.secrets];
  const work = () => pipeline.source.dockerBuild({ platform, buildArgs: input.buildArgs, secrets }).sync();
  return attempt(`build ${platform}`, work, {}); // the exit codes of a build step are not ours
}

async function buildInput(pipeline: Pipeline, tag: string | undefined): Promise<BuildInput> {
  const { nodeImage: node, runtimeImage: runtime, npmRegistry: npm } = pipeline;
  return {
    buildArgs: buildArguments(await readCommit(pipeline), tag, { node, runtime, npm }),
    secrets: await buildSecrets(pipeline),
  };
}

async function readCommit(pipeline: Pipeline): Promise<Commit> {
  const { source } = pipeline;
  if (!(await source.exists('.git', { expectedType: ExistsType.DirectoryType }))) return NO_COMMIT;
  const repository = base(pipeline).withMountedDirectory(`${PATHS.project}/.git`, source.directory('.git'));
  const done = await attempt('read the commit', () => repository.withExec(showCommit()).sync(), {});
  return parseCommit(await done.stdout());
}

/** A build secret goes by its own name, so the caller's is given the one the Dockerfile asks for. */
async function buildSecrets(pipeline: Pipeline): Promise<Secret[]> {
  if (pipeline.extraCa === undefined) return [];
  return [dag.setSecret('extra_ca', await pipeline.extraCa.plaintext())];
}
