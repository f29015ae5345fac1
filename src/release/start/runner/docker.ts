import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import type { Start } from '../../config/config.ts';
import { fillAll } from '../../config/words.ts';
import { ReleaseError } from '../../errors.ts';
import { sha256 } from '../../image/digest.ts';
import type { PlatformImage } from '../../image/layout.ts';
import { type CommandResult, run, runOk, tail } from '../../machine/command.ts';
import { freePort } from '../../machine/port.ts';
import type { Regctl } from '../../registry/regctl.ts';
import { EMULATOR_IN_IMAGE, emulated, findEmulator, isForeign, noEmulator } from './emulator.ts';
import { ownPort, type Runner, type RunningImage } from './runner.ts';

/** As an image should be run: it may do nothing that it was not allowed. */
const HARDENING = ['--cap-drop', 'ALL', '--security-opt', 'no-new-privileges'];
/** The kernel's answer to a program of another processor, where nothing emulates it. */
const NOT_EXECUTABLE = /exec format error/i;

/** Names on the daemon, which other projects use too: the same ones each time, so that leftovers are found. */
interface Names {
  readonly container: string;
  readonly network: string;
  readonly image: string;
}

/**
 * Starts images with Docker as a user would, hardened and on a network of their own. A foreign architecture
 * runs under the machine's QEMU if there is one, else under what the kernel was told to use (binfmt_misc).
 *
 * @param version the daemon's
 */
export function createDockerRunner(docker: string, home: string, regctl: Regctl, version: string): Runner {
  return {
    name: `docker ${version}`,
    together: () => true, // each is on a network of its own
    async start(layout, image, how, signal) {
      const names = namesFor(home, image.platform);
      const { Entrypoint, Cmd, Healthcheck } = image.config.config;
      const inside = ownPort(image, how);
      const port = await freePort();
      const emulator = await findEmulator(image.config.architecture, home);
      const call = (args: readonly string[]) =>
        runOk(docker, args, { signal }, (result) => startFailed(image, result));
      await clean(docker, names);
      try {
        await load(layout, image, names, home, regctl, call);
        await call(['network', 'create', names.network]);
        const command = [...(Entrypoint ?? []), ...(Cmd ?? [])];
        const publish = `127.0.0.1:${port}:${inside}`;
        await call(runArguments(names, image.platform, publish, { ...how, port: inside }, emulator, command));
        return follow();
      } catch (error) {
        await clean(docker, names);
        throw error;
      }

      function follow(): RunningImage {
        let output = '';
        const logs = execa(docker, ['logs', '--follow', names.container], {
          reject: false,
          all: true,
          buffer: false,
          stdin: 'ignore',
        });
        logs.all.on('data', (chunk: Buffer) => {
          output = (output + chunk.toString()).slice(-8_192);
        });
        const ended = run(docker, ['wait', names.container]).then(async ({ stdout }) => {
          await logs;
          if (isForeign(image.config.architecture) && NOT_EXECUTABLE.test(output))
            throw noEmulator(image.platform, [output.trim()]);
          const code = Number.parseInt(stdout, 10);
          return Number.isNaN(code) ? 1 : code;
        });
        ended.catch(() => undefined); // whoever waits for it is told all the same
        return {
          url: `http://127.0.0.1:${port}`,
          ended,
          output: () => output,
          async healthcheck() {
            const command = healthCommand(Healthcheck?.Test ?? []);
            if (command === undefined) return 1;
            const args = ['exec', names.container, ...emulated(emulator, command)];
            return (await run(docker, args, { signal })).exitCode;
          },
          async stop() {
            await clean(docker, names);
            await ended.catch(() => undefined);
          },
        };
      }
    },
  };
}

/** `docker run` of an image. @param publish `HOST:PORT:PORT` */
export function runArguments(
  names: Names,
  platform: string,
  publish: string,
  how: Start & { readonly port: number },
  emulator: string | undefined,
  command: readonly string[],
): string[] {
  const mount = `type=bind,source=${emulator},target=${EMULATOR_IN_IMAGE},readonly`;
  return [
    ...['run', '--detach', '--name', names.container, '--network', names.network, '--platform', platform],
    ...['--publish', publish, ...(how.readOnly ? ['--read-only', '--tmpfs', '/tmp'] : [])],
    ...[...how.volumes.flatMap((folder) => ['--volume', folder]), ...HARDENING],
    ...Object.entries(fillAll(how.env, { host: '0.0.0.0', port: String(how.port) })).flatMap(
      ([name, value]) => ['--env', `${name}=${value}`],
    ),
    ...(emulator === undefined
      ? [names.image]
      : ['--mount', mount, '--entrypoint', EMULATOR_IN_IMAGE, names.image, ...command]),
  ];
}

/** The command of a HEALTHCHECK (Dockerfile reference): its own words, or a line for the shell. */
export function healthCommand([kind, ...command]: readonly string[]): string[] | undefined {
  if (kind === 'CMD') return command;
  return kind === 'CMD-SHELL' ? ['/bin/sh', '-c', ...command] : undefined;
}

/** Loads one manifest of the layout, and checks that what Docker will start is that one. */
async function load(
  layout: string,
  image: PlatformImage,
  { image: name, container }: Names,
  home: string,
  regctl: Regctl,
  call: (args: readonly string[]) => Promise<CommandResult>,
): Promise<void> {
  const archive = join(home, 'start', `${container}.tar`);
  await mkdir(join(home, 'start'), { recursive: true });
  try {
    const source = `ocidir://${layout}@${image.digest}`;
    const exported = await regctl(['image', 'export', '--name', name, source, archive]);
    if (exported.exitCode !== 0) throw startFailed(image, exported);
    await call(['load', '--input', archive]);
  } finally {
    await rm(archive, { force: true });
  }
  const id = (await call(['image', 'inspect', '--format', '{{.Id}}', name])).stdout.trim();
  // Docker's own store names an image by its config, containerd's by its manifest.
  if (id !== image.configDigest && id !== image.digest) {
    throw new ReleaseError(
      'LAYOUT_CORRUPT',
      `The image loaded for ${image.platform} is ${id}, and the layout's is ${image.digest}.`,
      'Nothing was pushed. Delete the layout and build again.',
    );
  }
}

function namesFor(home: string, platform: string): Names {
  const owner = sha256(home).slice(0, 8);
  const name = `thoth-start-${owner}-${platform.replaceAll('/', '-')}`;
  return { container: name, network: name, image: `${name}:release` };
}

/** Removes everything by these names, of this start or of one that was killed. */
async function clean(docker: string, names: Names): Promise<void> {
  await run(docker, ['rm', '--force', '--volumes', names.container]);
  await run(docker, ['network', 'rm', names.network]);
  await run(docker, ['image', 'rm', '--force', names.image]);
}

function startFailed(image: PlatformImage, result: CommandResult): ReleaseError {
  return new ReleaseError(
    'START_FAILED',
    `Docker could not start ${image.platform}.`,
    'Nothing was pushed. Read the lines below, which Docker said; then run it again.',
    tail(result),
  );
}
