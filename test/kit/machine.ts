import { copyFile, mkdir } from 'node:fs/promises';
import { get } from 'node:http';
import { delimiter, join, resolve } from 'node:path';
import { execa } from 'execa';
import { requireTool } from '../../src/release/machine/tools.ts';
import { type EmbeddedRegistry, startEmbedded } from '../../src/release/registry/embedded.ts';
import { createRegctl, type Regctl } from '../../src/release/registry/regctl.ts';
import { type Daemon, startDaemon } from '../release/start/runner/docker-daemon.ts';
import { serviceImage } from './service-image.ts';

export const ROOT = resolve(import.meta.dirname, '../..');
const TOOLS = join(ROOT, '.thoth');
const REPOSITORY = 'marcopancotti/thoth';

/** What a script said and how it ended. */
export interface Ended {
  readonly code: number | undefined;
  /** Both streams, in order. */
  readonly text: string;
}

export interface RunOptions {
  /** The shell, `sh` where none is named. */
  readonly shell?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly uid?: number;
  readonly gid?: number;
  /** Standard input; nothing where there is none. */
  readonly input?: string;
  /** In a session of its own, without a terminal. */
  readonly detached?: boolean;
}

/** A machine with Docker, Compose and a registry that has Thoth in some versions. */
export class Machine {
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  /** `127.0.0.1:PORT/marcopancotti/thoth` */
  readonly image: string;
  readonly #daemon: Daemon;
  readonly #registry: EmbeddedRegistry;
  readonly #regctl: Regctl;

  private constructor(daemon: Daemon, registry: EmbeddedRegistry, regctl: Regctl) {
    this.dir = daemon.dir;
    this.#daemon = daemon;
    this.#registry = registry;
    this.#regctl = regctl;
    this.image = `${registry.host}/${REPOSITORY}`;
    this.env = {
      HOME: join(daemon.dir, 'home'),
      DOCKER_HOST: process.env.DOCKER_HOST ?? '',
      PATH: ['/usr/local/bin', '/usr/bin', '/bin', '/usr/sbin', '/sbin'].join(delimiter),
    };
  }

  /** Starts it. The service's image of this tree is in its registry as v1.0.0. */
  static async start(): Promise<Machine> {
    const daemon = await startDaemon();
    const registry = await startEmbedded(daemon.dir);
    const regctl = createRegctl(await requireTool('regctl', TOOLS), { plainHttp: [registry.host] });
    const machine = new Machine(daemon, registry, regctl);
    const plugins = join(daemon.dir, 'home/.docker/cli-plugins');
    await mkdir(plugins, { recursive: true });
    await copyFile(join(TOOLS, 'tools/bin/compose'), join(plugins, 'docker-compose'));
    const layout = await serviceImage();
    await machine.regctl(
      'image',
      'copy',
      `ocidir://${layout.dir}@${layout.index.digest}`,
      `${machine.image}:v1.0.0`,
    );
    await machine.regctl('image', 'copy', `${machine.image}:v1.0.0`, `${machine.image}:latest`);
    return machine;
  }

  async stop(): Promise<void> {
    try {
      const left = await this.docker('ps', '--all', '--quiet');
      // One that is being removed already can not be removed once more.
      if (left !== '') await this.docker('rm', '--force', ...left.split('\n')).catch(() => undefined);
      // Its bridges would outlive the daemon.
      await this.docker('network', 'prune', '--force');
    } finally {
      await this.#registry.stop();
      await this.#daemon.stop();
    }
  }

  /** Starts the Docker daemon again, which has crashed. */
  restartDocker(): Promise<void> {
    return this.#daemon.restart();
  }

  async regctl(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#regctl(args);
    if (exitCode !== 0) throw new Error(`regctl ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  async docker(...args: string[]): Promise<string> {
    return (await execa('docker', args, { env: this.env, extendEnv: false })).stdout;
  }

  /** This machine's address, as the containers of a project reach it. */
  gateway(project: string): Promise<string> {
    const format = '{{(index .IPAM.Config 0).Gateway}}';
    return this.docker('network', 'inspect', '--format', format, `${project}_network`);
  }

  /** The address of a container in its network. */
  addressOf(container: string): Promise<string> {
    const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}';
    return this.docker('inspect', '--format', format, container);
  }

  /** All that a container has written, on both its streams. */
  async written(container: string): Promise<string> {
    const options = { env: this.env, extendEnv: false, all: true } as const;
    return (await execa('docker', ['logs', container], options)).all;
  }

  /**
   * Releases another version: the same image under another label.
   *
   * @param serve JavaScript that runs in place of the service; without it, the service. `trial` in it says whether
   *   it runs on a copy of the data.
   * @returns its digest
   */
  async release(version: string, serve?: string): Promise<string> {
    const target = `${this.image}:${version}`;
    const label = `org.opencontainers.image.version=${version.slice(1)}`;
    const entry =
      serve === undefined
        ? []
        : ['--config-entrypoint', JSON.stringify(['/nodejs/bin/node', '-e', prelude(serve)])];
    await this.regctl('image', 'mod', `${this.image}:v1.0.0`, '--create', target, '--label', label, ...entry);
    return this.regctl('image', 'digest', target);
  }

  /** Runs a script of this tree or of an installation. */
  async run(script: string, args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    const { shell = ['sh'], env, input, ...rest } = options;
    const [program = 'sh', ...before] = shell;
    const { exitCode, all } = await execa(program, [...before, script, ...args], {
      ...rest,
      ...(input === undefined ? { stdin: 'ignore' } : { input }),
      env: { ...this.env, ...env },
      extendEnv: false,
      reject: false,
      all: true,
    });
    return { code: exitCode, text: all };
  }
}

/** Runs `serve` for the command "serve", and the service's own program for every other. */
function prelude(serve: string): string {
  return `const trial = require('fs').readFileSync('/proc/self/mountinfo', 'utf8').includes('trial');
const own = () => { process.argv.splice(1, 0, '/usr/local/bin/thoth'); require('/usr/local/bin/thoth'); };
if (process.argv[1] === 'serve') { ${serve} } else own();`;
}

/** The status of an answer, or 0 without one in that time. */
export function status(url: string, timeout = 3_000): Promise<number> {
  return new Promise((done) => {
    const request = get(url, { agent: false, timeout }, (answer) => {
      answer.resume();
      done(answer.statusCode ?? 0);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => done(0));
  });
}
