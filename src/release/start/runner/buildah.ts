import { basename, dirname } from 'node:path';
import { execa } from 'execa';
import { buildahEnvironment, buildahStorage } from '../../build/builder/buildah.ts';
import type { Start } from '../../config/config.ts';
import { fillAll } from '../../config/words.ts';
import { ReleaseError } from '../../errors.ts';
import type { PlatformImage } from '../../image/layout.ts';
import { run, runOk, tail } from '../../machine/command.ts';
import { freePort } from '../../machine/port.ts';
import { healthCommand } from './docker.ts';
import { EMULATOR_IN_IMAGE, emulated, findEmulator, isForeign, noEmulator } from './emulator.ts';
import { ownPort, type Runner, type RunningImage } from './runner.ts';

/**
 * Starts images in buildah's chroot isolation: the image's own files, user and environment on the host's
 * network. A foreign architecture runs under qemu-user, handed to the program as its interpreter.
 */
export function createBuildahRunner(buildah: string, home: string): Runner {
  const storage = buildahStorage(home);
  // One after the other: two that read one layout for two platforms could lose each other's image.
  let made: Promise<unknown> = Promise.resolve();
  return {
    name: 'buildah',
    together: isTold,
    async start(layout, image, how, signal) {
      const architecture = image.config.architecture;
      const name = `thoth-start-${image.platform.replaceAll('/', '-')}`;
      const emulator = await findEmulator(architecture, home);
      if (emulator === undefined && isForeign(architecture)) throw noEmulator(image.platform);
      // By a relative path: buildah makes a name of an absolute one, and ".thoth" can be in no name.
      const options = { signal, env: buildahEnvironment(), cwd: dirname(layout) };
      const call = (args: readonly string[]) =>
        runOk(buildah, [...storage, ...args], options, (result) => startFailed(image, tail(result)));
      const make = async () => {
        await run(buildah, [...storage, 'rm', name], { signal }); // left by a start that was killed
        await call(['from', '--name', name, '--arch', architecture, `oci:${basename(layout)}`]);
        const { stdout } = await call(['inspect', '--format', '{{.FromImageDigest}}', name]);
        if (stdout.trim() !== image.digest) {
          await run(buildah, [...storage, 'rm', name]);
          throw new ReleaseError(
            'LAYOUT_CORRUPT',
            `The image started for ${image.platform} is ${stdout.trim()}, and the layout's is ${image.digest}.`,
            'Nothing was pushed. Delete the layout and build again.',
          );
        }
      };
      const making = made.then(make);
      made = making.catch(() => undefined);
      await making;
      // On the host's network: a port of its own, where the program can be told.
      const port = isTold(how) ? await freePort() : ownPort(image, how);
      const { Entrypoint, Cmd, Healthcheck } = image.config.config;
      const inside = (command: readonly string[]) => [
        ...storage,
        ...runArguments(name, fillAll(how.env, { host: '127.0.0.1', port: String(port) }), emulator, command),
      ];
      const child = execa(buildah, inside([...(Entrypoint ?? []), ...(Cmd ?? [])]), {
        reject: false,
        all: true,
        buffer: false,
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
          const command = healthCommand(Healthcheck?.Test ?? []);
          return command === undefined ? 1 : (await run(buildah, inside(command), { signal })).exitCode;
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

/** Whether the program is told the port to listen on. */
function isTold({ env }: Start): boolean {
  return Object.values(env).some((text) => text.includes('{port}'));
}

/** `buildah run` of one command in a container, under an emulator where there is one. */
export function runArguments(
  container: string,
  env: Readonly<Record<string, string>>,
  emulator: string | undefined,
  command: readonly string[],
): string[] {
  return [
    ...['run', '--isolation', 'chroot'],
    ...Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]),
    ...(emulator === undefined ? [] : ['--volume', `${emulator}:${EMULATOR_IN_IMAGE}:ro`]),
    ...[container, '--', ...emulated(emulator, command)],
  ];
}

function startFailed(image: PlatformImage, details: string[]): ReleaseError {
  return new ReleaseError(
    'START_FAILED',
    `${image.platform} could not be started: its layout could not be read.`,
    'Read the lines below, which buildah said.',
    details,
  );
}
