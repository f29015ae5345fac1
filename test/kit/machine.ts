import assert from 'node:assert/strict';
import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { createServer, get } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join, resolve } from 'node:path';
import { execa } from 'execa';
import { z } from 'zod';
import { freePort } from '../../src/release/machine/port.ts';
import { requireTool } from '../../src/release/machine/tools.ts';
import { type EmbeddedRegistry, startEmbedded } from '../../src/release/registry/embedded.ts';
import { createRegctl, type Regctl } from '../../src/release/registry/regctl.ts';
import { type Daemon, startDaemon } from '../release/start/runner/docker-daemon.ts';
import { buildServiceImage } from './service-image.ts';

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
    const layout = await buildServiceImage(join(daemon.dir, 'layout'));
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
    const left = await this.docker('ps', '--all', '--quiet');
    // One that is being removed already can not be removed once more.
    if (left !== '') await this.docker('rm', '--force', ...left.split('\n')).catch(() => undefined);
    await this.#daemon.stop();
    await this.#registry.stop();
  }

  async regctl(...args: string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await this.#regctl(args);
    if (exitCode !== 0) throw new Error(`regctl ${args.join(' ')}: ${stderr}`);
    return stdout.trim();
  }

  async docker(...args: string[]): Promise<string> {
    return (await execa('docker', args, { env: this.env, extendEnv: false })).stdout;
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

const Keys = z.object({ keys: z.array(z.object({ name: z.string() })) });

/** JavaScript that opens the database. */
const OPEN = `const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync('/app/data/store/thoth.db');`;

/** A provider of models on this machine that takes one key. */
export interface Provider {
  readonly key: string;
  /** Its base URL, as the containers of an installation reach it. */
  url(here: Installation): Promise<string>;
  stop(): void;
}

/** Starts a provider with OpenAI's list of models, and its answer to a wrong key. */
export async function startProvider(key: string): Promise<Provider> {
  const server = createServer((request, answer) => {
    const valid = request.headers.authorization === `Bearer ${key}`;
    answer.writeHead(valid ? 200 : 401, { 'content-type': 'application/json' });
    const error = {
      message: 'Incorrect API key provided.',
      type: 'invalid_request_error',
      code: 'invalid_api_key',
    };
    answer.end(JSON.stringify(valid ? { object: 'list', data: [] } : { error }));
  });
  server.listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    key,
    stop: () => void server.close(),
    url: async (here) => `http://${await here.gateway()}:${port}/v1`,
  };
}

let serial = 0;

/** An installation of Thoth on a machine, with a project name and a port of its own. */
export class Installation {
  readonly dir: string;
  readonly project: string;
  readonly port: number;
  readonly machine: Machine;

  private constructor(machine: Machine, dir: string, project: string, port: number) {
    this.machine = machine;
    this.dir = dir;
    this.project = project;
    this.port = port;
  }

  /** A place for one; nothing is there yet. */
  static async at(machine: Machine, name = `in ${serial}`): Promise<Installation> {
    serial += 1;
    const dir = join(machine.dir, `${name} ${serial}`);
    return new Installation(machine, dir, `kit${process.pid}x${serial}`, await freePort());
  }

  /** Installs v1.0.0 as a script would, with what `args` add. */
  install(args: readonly string[] = [], options: RunOptions = {}): Promise<Ended> {
    const place = ['--dir', this.dir, '--project', this.project, '--port', String(this.port)];
    const own = [...place, '--image', this.machine.image, '--non-interactive', '--skip-key-check'];
    const env = { OPENAI_API_KEY: 'sk-test-0123456789', ...options.env };
    return this.machine.run(join(ROOT, 'scripts/install.sh'), [...own, ...args], { ...options, env });
  }

  /** Runs one of its scripts, such as `update`. */
  script(name: string, args: readonly string[] = [], options: RunOptions = {}): Promise<Ended> {
    return this.machine.run(join(this.dir, 'scripts', `${name}.sh`), args, options);
  }

  async settings(): Promise<Map<string, string>> {
    const lines = (await readFile(join(this.dir, '.env'), 'utf8')).split('\n');
    return new Map(
      lines.flatMap((line) => {
        const [, name, value] = /^([A-Z0-9_]+)=(.*)$/.exec(line) ?? [];
        return name === undefined ? [] : [[name, value ?? ''] as const];
      }),
    );
  }

  async set(name: string, value: string): Promise<void> {
    const settings = await this.settings();
    settings.set(name, value);
    const text = [...settings].map(([key, content]) => `${key}=${content}\n`).join('');
    await writeFile(join(this.dir, '.env'), text, { mode: 0o600 });
  }

  /** A folder with a stand-in for a program: it runs `script`, and then the real one. */
  async shim(program: string, script: string): Promise<string> {
    const bin = join(this.machine.dir, `${this.project}-bin`);
    await mkdir(bin, { recursive: true });
    const text = `#!/bin/sh\n${script}\nPATH=\${PATH#*:} exec ${program} "$@"\n`;
    await writeFile(join(bin, program), text, { mode: 0o755 });
    return bin;
  }

  containerId(): Promise<string> {
    return this.machine.docker('inspect', '--format', '{{.Id}}', `${this.project}-thoth-1`);
  }

  /** This machine's address, as its containers reach it. */
  gateway(): Promise<string> {
    const format = '{{(index .IPAM.Config 0).Gateway}}';
    return this.machine.docker('network', 'inspect', '--format', format, `${this.project}_network`);
  }

  /** Runs JavaScript in the image, with the data mounted. */
  async inData(code: string): Promise<string> {
    const { machine, project } = this;
    const image = await machine.docker('inspect', '--format', '{{.Image}}', `${project}-thoth-1`);
    const mount = ['--volume', `${project}_data:/app/data`, '--entrypoint', '/nodejs/bin/node'];
    return machine.docker('run', '--rm', '--network', 'none', ...mount, image, '-e', code);
  }

  /** Runs the image's own program in the container. */
  async thoth(...args: string[]): Promise<string> {
    const { machine, project } = this;
    return machine.docker('exec', `${project}-thoth-1`, '/nodejs/bin/node', '/usr/local/bin/thoth', ...args);
  }

  /** Writes something into the data that has to be there later: a client key of that name. */
  async remember(name: string): Promise<void> {
    await this.thoth('keys', 'create', '--name', name);
  }

  /** What was written, in that order. */
  async remembered(): Promise<string[]> {
    const { keys } = Keys.parse(JSON.parse(await this.thoth('keys', 'list', '--json')));
    return keys
      .map(({ name }) => name)
      .filter((name) => name !== 'first')
      .reverse();
  }

  /** Every row of every table. */
  dump(): Promise<string> {
    return this.inData(`${OPEN}
      for (const { name, sql } of database.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name").all())
        console.log(sql, JSON.stringify(database.prepare('SELECT * FROM "' + name + '"').all(), (_, value) =>
          value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value));`);
  }

  /** Sees that a change left no container, volume or file of its own. */
  async leavesNothing(): Promise<void> {
    const { machine, project } = this;
    const named = ['--filter', `name=${project}`, '--format'];
    assert.equal(await machine.docker('ps', '--all', ...named, '{{.Names}}'), `${project}-thoth-1`);
    assert.equal(await machine.docker('volume', 'ls', ...named, '{{.Name}}'), `${project}_data`);
    assert.deepEqual((await readdir(join(this.dir, '.kit'))).sort(), ['lock', 'shipped']);
  }

  /** The log of the scripts. */
  log(): Promise<string> {
    return readFile(join(this.dir, 'logs/kit.log'), 'utf8');
  }

  /** Where others could read what one of its containers knows: Docker, the process list, the log. */
  async exposure(service: string): Promise<Readonly<Record<string, string>>> {
    const { machine } = this;
    const container = `${this.project}-${service}-1`;
    const process = await machine.docker('inspect', '--format', '{{.State.Pid}}', container);
    return {
      'docker inspect': await machine.docker('inspect', container),
      environment: await readFile(`/proc/${process}/environ`, 'utf8'),
      'command line': await readFile(`/proc/${process}/cmdline`, 'utf8'),
      log: await machine.written(container),
    };
  }

  /** Which container serves, and since when. */
  startedAt(): Promise<string> {
    const format = '{{.Id}} {{.State.StartedAt}}';
    return this.machine.docker('inspect', '--format', format, `${this.project}-thoth-1`);
  }

  /** The version that runs, by the label of the running container's image; `undefined` where it does not answer. */
  async running(): Promise<string | undefined> {
    if ((await status(`http://127.0.0.1:${this.port}/health`)) !== 200) return undefined;
    const label = '{{index .Config.Labels "org.opencontainers.image.version"}}';
    return `v${await this.machine.docker('inspect', '--format', label, `${this.project}-thoth-1`)}`;
  }
}

/** The status of an answer, or 0 without one. */
export function status(url: string): Promise<number> {
  return new Promise((done) => {
    const request = get(url, { agent: false, timeout: 3_000 }, (answer) => {
      answer.resume();
      done(answer.statusCode ?? 0);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => done(0));
  });
}
