import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseError } from '../../errors.ts';
import { ImageIndex } from '../../image/oci.ts';
import { type CommandResult, run, runOk, tail } from '../../machine/command.ts';
import { isLoopback } from '../../machine/loopback.ts';
import type { Regctl } from '../../registry/regctl.ts';
import type { Builder, BuildRequest } from './builder.ts';
import { buildRemedy } from './remedy.ts';

/** The builder that is made where the current one can't export an image of several platforms. */
const OWN_BUILDER = 'thoth-release';

/** A build argument whose image is in a layout on this machine. */
export interface LocalImage {
  readonly argument: string;
  readonly layout: string;
  readonly digest: string;
}

/** @returns buildx's version, `v0.38.2`; `undefined` where docker has no buildx */
export async function findBuildx(docker: string, signal?: AbortSignal): Promise<string | undefined> {
  const { exitCode, stdout } = await run(docker, ['buildx', 'version'], { signal });
  return exitCode === 0 ? (stdout.trim().split(' ')[1] ?? stdout.trim()) : undefined;
}

/**
 * Builds with Docker's buildx, all platforms at once, straight into an OCI layout.
 *
 * Docker's default builder can export only one platform, unless Docker keeps its images in containerd's store.
 * Where that is so, and nobody named a builder, one called `thoth-release` is made and used, and the
 * current one stays what it is: a rehearsal should need no set-up. A builder that was named is never replaced.
 *
 * @param builder the name of the buildx builder; the current one where there is none
 * @throws ReleaseError NO_BUILDER where the named builder is missing or can't export several platforms
 */
export async function createBuildx(
  docker: string,
  version: string,
  home: string,
  regctl: Regctl,
  builder?: string,
  signal?: AbortSignal,
): Promise<Builder> {
  const name = await usableBuilder(docker, builder, signal);
  return {
    name: `buildx ${version} (${name})`,
    async build(request, { say, signal }) {
      const folder = join(home, 'buildx');
      const layout = join(folder, 'layout');
      await mkdir(folder, { recursive: true });
      await rm(layout, { recursive: true, force: true });
      const local = await fetchLocal(request, join(folder, 'base'), regctl);
      const args = buildArguments(request, { builder: name, local, layout });
      await runOk(docker, args, { signal, onLine: say }, buildFailed);
      const { manifests } = ImageIndex.parse(JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')));
      return { reference: `ocidir://${layout}@${manifests[0]?.digest}` };
    },
  };
}

/** `docker buildx build` into the layout, with nothing in it that differs from one build to the next. */
export function buildArguments(
  request: BuildRequest,
  to: { builder: string; local: readonly LocalImage[]; layout: string },
): string[] {
  const local = new Map(to.local.map((image) => [image.argument, image]));
  const args = {
    ...request.args,
    ...Object.fromEntries([...local.keys()].map((argument) => [argument, contextName(argument)])),
    SOURCE_DATE_EPOCH: String(request.epoch),
    // An index also where there is only one platform.
    BUILDKIT_MULTI_PLATFORM: '1',
  };
  const output = [
    ...['type=oci', 'tar=false', `dest=${to.layout}`, 'oci-mediatypes=true'],
    ...['compression=gzip', 'force-compression=true', 'rewrite-timestamp=true'],
  ];
  return [
    ...['buildx', 'build', '--builder', to.builder, '--progress', 'plain'],
    ...['--platform', request.platforms.join(','), '--provenance=false', '--sbom=false'],
    ...['--output', output.join(',')],
    ...(request.noCache === true ? ['--no-cache'] : []),
    ...Object.entries(args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...to.local.flatMap(({ argument, layout, digest }) => [
      '--build-context',
      `${contextName(argument)}=oci-layout://${layout}@${digest}`,
    ]),
    ...Object.entries(request.secrets).flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]),
    ...['--file', request.dockerfile, request.context],
  ];
}

/** What to say where Docker is there and buildx is not. */
export function noBuildx(): ReleaseError {
  return new ReleaseError(
    'TOOL_MISSING',
    'Docker has no buildx here.',
    'Install its plugin (https://docs.docker.com/build/install-buildx/), or take buildah: THOTH_BUILDER=buildah.',
  );
}

async function usableBuilder(
  docker: string,
  named: string | undefined,
  signal?: AbortSignal,
): Promise<string> {
  const call = (...args: string[]) => run(docker, args, { signal });
  const wanted = named === undefined ? [] : [named];
  const inspected = await call('buildx', 'inspect', ...wanted);
  if (inspected.exitCode !== 0) {
    throw noBuilder(`There is no buildx builder ${named ?? 'that is current'}.`, tail(inspected));
  }
  const { name, driver } = describeBuilder(inspected.stdout);
  if (driver !== 'docker') return name;
  const info = await call('info', '--format', '{{json .DriverStatus}}');
  if (info.stdout.includes('io.containerd.snapshotter')) return name;
  if (named !== undefined) {
    const why = 'only exports one platform: its driver is "docker", and Docker keeps no images in containerd';
    throw noBuilder(`The buildx builder ${named} ${why}.`);
  }
  const own = await call('buildx', 'inspect', OWN_BUILDER);
  if (own.exitCode === 0) return OWN_BUILDER;
  const create = ['--name', OWN_BUILDER, '--driver', 'docker-container', '--bootstrap'];
  const made = await call('buildx', 'create', ...create);
  if (made.exitCode !== 0) {
    await call('buildx', 'rm', '--force', OWN_BUILDER);
    throw new ReleaseError(
      'NO_BUILDER',
      `The buildx builder ${OWN_BUILDER} could not be made.`,
      'Let Docker fetch moby/buildkit from Docker Hub once, or install buildah and set THOTH_BUILDER=buildah.',
      tail(made),
    );
  }
  return OWN_BUILDER;
}

/** Reads what `docker buildx inspect` prints: its first lines are about the builder, the rest about its nodes. */
export function describeBuilder(text: string): { name: string; driver: string } {
  const field = (name: string) => new RegExp(`^${name}:\\s*(\\S+)`, 'm').exec(text)?.[1] ?? '';
  return { name: field('Name'), driver: field('Driver') };
}

/**
 * Copies the images of a registry on loopback into a layout. A builder in a container has a loopback of its
 * own, and could not reach them.
 */
async function fetchLocal(request: BuildRequest, layout: string, regctl: Regctl): Promise<LocalImage[]> {
  const images: LocalImage[] = [];
  for (const [argument, reference] of Object.entries(request.args)) {
    if (!isLoopback(reference.split('/')[0] ?? '')) continue;
    const copied = await regctl(['image', 'copy', reference, `ocidir://${layout}:${contextTag(argument)}`]);
    const digest = await regctl(['image', 'digest', reference]);
    for (const result of [copied, digest]) if (result.exitCode !== 0) throw buildFailed(result);
    images.push({ argument, layout, digest: digest.stdout.trim() });
  }
  return images;
}

function contextTag(argument: string): string {
  return argument.toLowerCase();
}

function contextName(argument: string): string {
  return `thoth-local/${contextTag(argument)}`;
}

function noBuilder(message: string, details: string[] = []): ReleaseError {
  return new ReleaseError(
    'NO_BUILDER',
    message,
    'Make one that can: docker buildx create --name thoth --driver docker-container --use; or leave THOTH_BUILDX_BUILDER out.',
    details,
  );
}

function buildFailed(result: CommandResult): ReleaseError {
  return new ReleaseError(
    'BUILD_FAILED',
    'buildx could not build the image.',
    buildRemedy(result.stderr),
    tail(result, 20),
  );
}
