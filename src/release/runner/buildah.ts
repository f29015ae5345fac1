import { createServer } from 'node:net';
import { execa } from 'execa';
import { buildahStorage } from '../builder/buildah.ts';
import { run, runOk, tail } from '../command.ts';
import { ReleaseError } from '../errors.ts';
import type { PlatformImage } from '../layout.ts';
import { nativeArchitecture } from '../standin.ts';
import { requireTool } from '../tools.ts';
import type { Runner, RunningImage } from './runner.ts';

/** Where the emulator is mounted: no registration with the kernel, so nothing on the machine changes. */
const EMULATOR_IN_IMAGE = '/.qemu';

/**
 * Starts images in buildah's chroot isolation: the image's own files, user and environment on the host's
 * network. A foreign architecture runs under qemu-user, handed to the program as its interpreter.
 */
export function createBuildahRunner(buildah: string, home: string): Runner {
  const storage = buildahStorage(home);
  const call = (args: readonly string[], signal?: AbortSignal) =>
    run(buildah, [...storage, ...args], { signal });
  return {
    name: 'buildah',
    async start(layout, image, signal) {
      const architecture = image.config.architecture;
      const name = `thoth-start-${architecture}`;
      const emulator =
        architecture === nativeArchitecture() ? undefined : await emulatorFor(architecture, home);
      await call(['rm', name], signal);
      await runOk(
        buildah,
        [...storage, 'from', '--name', name, '--arch', architecture, `oci:${layout}`],
        { signal },
        (result) => startFailed(image, 'its layout could not be read', tail(result)),
      );
      const started = (
        await call(['inspect', '--format', '{{.FromImageDigest}}', name], signal)
      ).stdout.trim();
      if (started !== image.digest) {
        throw new ReleaseError(
          'LAYOUT_CORRUPT',
          `The image started for ${image.platform} is ${started}, and the layout's is ${image.digest}.`,
          'Nothing was pushed. Delete the layout and build again.',
        );
      }
      const port = await freePort();
      const { Entrypoint, Cmd, Healthcheck } = image.config.config;
      const inside = (command: readonly string[]) => runArguments(name, port, emulator, command);
      const child = execa(buildah, [...storage, ...inside([...(Entrypoint ?? []), ...(Cmd ?? [])])], {
        reject: false,
        all: true,
        stdin: 'ignore',
        forceKillAfterDelay: 5_000,
        ...(signal === undefined ? {} : { cancelSignal: signal }),
      });
      let output = '';
      child.all.on('data', (chunk: Buffer) => {
        output = (output + chunk.toString()).slice(-8_192);
      });
      const ended = child.then((result) => result.exitCode ?? 1);
      const running: RunningImage = {
        url: `http://127.0.0.1:${port}`,
        ended,
        output: () => output,
        async healthcheck() {
          const [kind, ...command] = Healthcheck?.Test ?? [];
          if (kind !== 'CMD') return 1;
          return (await call(inside(command), signal)).exitCode;
        },
        async stop() {
          child.kill('SIGTERM');
          await ended;
          await run(buildah, [...storage, 'rm', name]);
        },
      };
      return running;
    },
  };
}

/** `buildah run` of one command in a container, under an emulator where there is one. */
export function runArguments(
  container: string,
  port: number,
  emulator: string | undefined,
  command: readonly string[],
): string[] {
  return [
    ...['run', '--isolation', 'chroot', '--env', `PORT=${port}`, '--env', 'HOST=127.0.0.1'],
    ...(emulator === undefined ? [] : ['--volume', `${emulator}:${EMULATOR_IN_IMAGE}:ro`]),
    ...[container, '--', ...(emulator === undefined ? [] : [EMULATOR_IN_IMAGE]), ...command],
  ];
}

async function emulatorFor(architecture: string, home: string): Promise<string> {
  if (architecture === 'arm64') return requireTool('qemu-aarch64-static', home);
  throw new ReleaseError(
    'NO_RUNNER',
    `Nothing here can run ${architecture}.`,
    'Use Docker with emulation set up (docker run --privileged tonistiigi/binfmt --install all).',
  );
}

/** A port nothing listens on. Another process could take it meanwhile: starting then fails with a message. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done, failed) => server.once('error', failed).listen(0, '127.0.0.1', done));
  const address = server.address();
  await new Promise((done) => server.close(done));
  if (address === null || typeof address === 'string') throw new Error('a TCP server has a port');
  return address.port;
}

function startFailed(image: PlatformImage, why: string, details: string[]): ReleaseError {
  return new ReleaseError(
    'START_FAILED',
    `${image.platform} could not be started: ${why}.`,
    'Read the lines above it printed.',
    details,
  );
}
