import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type CommandResult, run, runOk, tail } from '../command.ts';
import { ReleaseError } from '../errors.ts';
import type { Builder, BuildRequest } from './builder.ts';

/** A stage that the Dockerfile builds natively for every platform: `FROM --platform=$BUILDPLATFORM … AS name`. */
const NATIVE_STAGE = /^FROM\s+--platform=\$\{?BUILDPLATFORM\}?\s+\S+\s+AS\s+(\S+)/gim;

/**
 * Builds with buildah, which needs no daemon. Its storage lives under `HOME/buildah`.
 *
 * - `--isolation chroot`: works where cgroups or a container runtime do not (CI, containers).
 * - `--format docker`: buildah drops HEALTHCHECK from images in OCI format. The release's layout is OCI all
 *   the same: `finishLayout` converts the media types and keeps the config.
 * - The result goes through the staging registry, since Docker-format images have no layout on disk.
 * - buildah (1.28 at least) takes no notice of `--platform=$BUILDPLATFORM`, so the stages that ask for it
 *   are built first, once, and given to the build of the platforms as folders in their place.
 */
export async function createBuildah(buildah: string, home: string): Promise<Builder> {
  const storage = buildahStorage(home);
  const { stdout } = await run(buildah, ['--version']);
  return {
    name: stdout.trim().split('\n')[0] ?? 'buildah',
    async build(request, { say, signal }) {
      const call = (args: readonly string[]) =>
        runOk(buildah, [...storage, ...args], { signal, onLine: say }, buildFailed);
      const containers: string[] = [];
      try {
        const stages = new Map<string, string>();
        for (const stage of nativeStages(await readFile(request.dockerfile, 'utf8'))) {
          const image = `localhost/thoth-stage-${stage}`;
          await call(stageArguments(request, stage, image));
          const container = (await call(['from', '--pull-never', image])).stdout.trim();
          containers.push(container);
          stages.set(stage, (await call(['mount', container])).stdout.trim());
        }
        const list = 'thoth-release';
        await run(buildah, [...storage, 'manifest', 'rm', list], { signal });
        await call(platformArguments(request, stages, list));
        const reference = `${request.staging}:built`;
        await call([
          'manifest',
          'push',
          '--all',
          '--format',
          'v2s2',
          '--tls-verify=false',
          list,
          `docker://${reference}`,
        ]);
        return { reference };
      } finally {
        for (const container of containers) await run(buildah, [...storage, 'rm', container]);
      }
    },
  };
}

/** Global flags that keep buildah's images, containers and locks inside `home`. */
export function buildahStorage(home: string): string[] {
  return ['--root', join(home, 'buildah', 'root'), '--runroot', join(home, 'buildah', 'run')];
}

/** Names of the stages that a Dockerfile builds on the builder's own platform. */
export function nativeStages(dockerfile: string): string[] {
  return [...dockerfile.matchAll(NATIVE_STAGE)].map((match) => match[1] ?? '');
}

/** Builds one stage natively, with layers cached. */
export function stageArguments(request: BuildRequest, stage: string, image: string): string[] {
  const cache = request.noCache === true ? '--no-cache' : '--layers';
  return [
    'bud',
    ...commonArguments(request),
    cache,
    '--target',
    stage,
    '--tag',
    image,
    ...contextArguments(request),
  ];
}

/** Builds every platform, native stages taken from the folders in `stages`. They only copy: no cache needed. */
export function platformArguments(
  request: BuildRequest,
  stages: ReadonlyMap<string, string>,
  list: string,
): string[] {
  return [
    'bud',
    ...commonArguments(request),
    ...['--layers=false', '--manifest', list, '--platform', request.platforms.join(',')],
    ...[...stages].flatMap(([stage, folder]) => ['--build-context', `${stage}=${folder}`]),
    ...contextArguments(request),
  ];
}

function commonArguments(request: BuildRequest): string[] {
  return [
    ...['--isolation', 'chroot', '--format', 'docker', '--tls-verify=false', '--identity-label=false'],
    ...['--timestamp', String(request.epoch)],
    ...Object.entries(request.args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...Object.entries(request.secrets).flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]),
  ];
}

function contextArguments(request: BuildRequest): string[] {
  return ['--file', request.dockerfile, request.context];
}

function buildFailed(result: CommandResult): ReleaseError {
  return new ReleaseError(
    'BUILD_FAILED',
    'buildah could not build the image.',
    remedy(result.stderr),
    tail(result, 20),
  );
}

/** What to do, from what buildah said. */
function remedy(stderr: string): string {
  if (/no space left on device/i.test(stderr)) return 'The disk is full: free some room and run it again.';
  if (/SELF_SIGNED_CERT|unable to get local issuer|UNABLE_TO_VERIFY/i.test(stderr)) {
    return 'A proxy signs the network with its own certificate authority: name its PEM file in THOTH_EXTRA_CA.';
  }
  return 'Read the lines below: the step that failed is the last one.';
}
