import { existsSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ReleaseError } from '../../errors.ts';
import { type CommandResult, run, runOk, tail } from '../../machine/command.ts';
import { isLoopback } from '../../machine/loopback.ts';
import { together } from '../../machine/together.ts';
import type { Regctl } from '../../registry/regctl.ts';
import type { Builder, BuildRequest } from './builder.ts';
import { indexPlain } from './plain.ts';
import { buildRemedy } from './remedy.ts';

/** A stage that the Dockerfile builds natively for every platform: `FROM --platform=$BUILDPLATFORM … AS name`. */
const NATIVE_STAGE = /^FROM\s+--platform=\$\{?BUILDPLATFORM\}?\s+\S+\s+AS\s+(\S+)/gim;

/**
 * Builds with buildah, which needs no daemon. Its storage lives under `HOME/buildah`.
 *
 * - `--isolation chroot`: works where cgroups or a container runtime do not (CI, containers).
 * - buildah (1.28 at least) takes no notice of `--platform=$BUILDPLATFORM`, so the stages that ask for it
 *   are built first, once, and given to the build of the platforms as folders in their place.
 * - `--format docker`: buildah drops HEALTHCHECK from images in OCI format. The release's layout is OCI all
 *   the same: `finishLayout` converts the media types and keeps the config.
 * - Images in that format can be exported only through a registry: the staging one.
 * - `--blob-cache` (a hidden flag): the layers of the base image are pushed as they were pulled, byte for
 *   byte. Compressed again they would take most of the time, and differ from machine to machine.
 */
export async function createBuildah(buildah: string, home: string, regctl: Regctl): Promise<Builder> {
  const storage = buildahStorage(home);
  const { stdout } = await run(buildah, ['--version']);
  return {
    name: stdout.trim().split('\n')[0] ?? 'buildah',
    async build(request, { say, signal }) {
      const options = { signal, onLine: say, env: buildahEnvironment() };
      const call = async (args: readonly string[]) =>
        (await runOk(buildah, [...storage, ...args], options, buildFailed)).stdout.trim();
      const mounted: string[] = [];
      try {
        await mkdir(blobCache(home), { recursive: true });
        const stages = new Map<string, string>();
        for (const stage of nativeStages(await readFile(request.dockerfile, 'utf8'))) {
          const name = `thoth-stage-${stage}`;
          await call(stageArguments(request, home, stage, `localhost/${name}`));
          await run(buildah, [...storage, 'rm', name], { signal }); // left by a build that was killed
          mounted.push(await call(['from', '--pull-never', '--name', name, `localhost/${name}`]));
          stages.set(stage, await call(['mount', name]));
        }
        const tags = request.platforms.map((platform) => platform.replaceAll('/', '-'));
        // One after the other: two that pull one base tag for two platforms lose each other's image now and then.
        const images = tags.map((tag) => `localhost/thoth-release:${tag}`);
        for (const [n, platform] of request.platforms.entries())
          await call(platformArguments(request, home, platform, stages, images[n] ?? ''));
        await together(
          images.map((image, n) => call(pushArguments(home, image, `${request.staging}:${tags[n]}`))),
        );
        const layout = join(home, 'buildah', 'layout');
        await rm(layout, { recursive: true, force: true });
        for (const tag of tags) {
          const args = ['image', 'copy', `${request.staging}:${tag}`, `ocidir://${layout}:${tag}`];
          const copied = await regctl(args);
          if (copied.exitCode !== 0) throw buildFailed(copied);
        }
        await indexPlain(layout, tags, 'release');
        return { reference: `ocidir://${layout}:release` };
      } finally {
        for (const container of mounted) await run(buildah, [...storage, 'rm', container]);
      }
    },
  };
}

/** Global flags that keep buildah's images, containers and locks inside `home`. */
export function buildahStorage(home: string): string[] {
  return ['--root', join(home, 'buildah', 'root'), '--runroot', join(home, 'buildah', 'run')];
}

/** Buildah fails where DOCKER_CONFIG names a folder without a config.json; Docker goes on without credentials. */
export function buildahEnvironment(env: NodeJS.ProcessEnv = process.env): Record<string, string> {
  const folder = env.DOCKER_CONFIG ?? '';
  return folder === '' || existsSync(join(folder, 'config.json')) ? {} : { DOCKER_CONFIG: '' };
}

/** Names of the stages that a Dockerfile builds on the builder's own platform. */
export function nativeStages(dockerfile: string): string[] {
  return [...dockerfile.matchAll(NATIVE_STAGE)].map((match) => match[1] ?? '');
}

/** Builds one stage natively, with layers cached. */
export function stageArguments(request: BuildRequest, home: string, stage: string, image: string): string[] {
  const cache = request.noCache === true ? '--no-cache' : '--layers';
  return ['bud', ...common(request, home), cache, '--target', stage, '--tag', image, ...source(request)];
}

/** Builds one platform, native stages taken from the folders in `stages`. It only copies: no cache needed. */
export function platformArguments(
  request: BuildRequest,
  home: string,
  platform: string,
  stages: ReadonlyMap<string, string>,
  image: string,
): string[] {
  return [
    'bud',
    ...common(request, home),
    ...['--layers=false', '--platform', platform, '--tag', image],
    ...[...stages].flatMap(([stage, folder]) => ['--build-context', `${stage}=${folder}`]),
    ...source(request),
  ];
}

/** Pushes one platform to the staging registry, which is on loopback. */
export function pushArguments(home: string, image: string, reference: string): string[] {
  const flags = ['--format', 'v2s2', '--tls-verify=false', '--blob-cache', blobCache(home)];
  return ['push', ...flags, image, `docker://${reference}`];
}

function common(request: BuildRequest, home: string): string[] {
  // The stand-in's registry is the only one that is spoken to without TLS.
  const local = Object.values(request.args).some((value) => isLoopback(value.split('/')[0] ?? ''));
  return [
    ...['--isolation', 'chroot', '--format', 'docker', '--identity-label=false', '--force-rm'],
    ...(local ? ['--tls-verify=false'] : []),
    ...['--blob-cache', blobCache(home), '--timestamp', String(request.epoch)],
    ...Object.entries(request.args).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]),
    ...Object.entries(request.secrets).flatMap(([id, file]) => ['--secret', `id=${id},src=${file}`]),
  ];
}

function source(request: BuildRequest): string[] {
  return ['--file', request.dockerfile, request.context];
}

function blobCache(home: string): string {
  return join(home, 'buildah', 'blobs');
}

function buildFailed(result: CommandResult): ReleaseError {
  return new ReleaseError(
    'BUILD_FAILED',
    'buildah could not build the image.',
    buildRemedy(result.stderr),
    tail(result, 20),
  );
}
