import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { freePort } from '../../src/release/machine/port.ts';
import { type Ended, type Machine, ROOT, type RunOptions, status } from './machine.ts';

const Keys = z.object({ keys: z.array(z.object({ name: z.string() })) });

/** JavaScript that opens the database. */
const OPEN = `const { DatabaseSync } = require('node:sqlite');
  const database = new DatabaseSync('/app/data/store/thoth.db');`;

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

  /** An environment with stand-ins for programs: each runs `script`, and then the real one. */
  async shim(programs: readonly string[], script: string): Promise<Record<string, string>> {
    const { dir, env } = this.machine;
    const bin = join(dir, `${this.project}-bin`);
    await mkdir(bin, { recursive: true });
    for (const program of programs) {
      const text = `#!/bin/sh\n${script}\nPATH=\${PATH#*:} exec ${program} "$@"\n`;
      await writeFile(join(bin, program), text, { mode: 0o755 });
    }
    return { PATH: `${bin}:${env.PATH}` };
  }

  /**
   * An environment in which something happens once, just before a call of Docker's.
   *
   * @param step that the change has reached, by its journal; '' for any, and for none
   * @param call a pattern of the shell's for the arguments
   * @param action what the shell does
   */
  at(step: string, call: string, action: string): Promise<Record<string, string>> {
    const once = join(this.machine.dir, `${this.project}-${randomUUID()}`);
    const reached = step === '' ? ':' : `grep -qs '^step=${step}$' '${this.dir}/.kit/journal'`;
    return this.shim(
      ['docker'],
      `case "$*" in ${call}) if ${reached} && mkdir '${once}' 2>/dev/null; then ${action}; fi ;; esac`,
    );
  }

  /** Ends it when a test is done with it; what it leaves goes with the machine. */
  async end(): Promise<void> {
    await this.machine.docker('rm', '--force', `${this.project}-thoth-1`);
  }

  containerId(): Promise<string> {
    return this.machine.docker('inspect', '--format', '{{.Id}}', `${this.project}-thoth-1`);
  }

  /** This machine's address, as its containers reach it. */
  gateway(): Promise<string> {
    return this.machine.gateway(this.project);
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
    if ((await status(`http://127.0.0.1:${this.port}/health`, 20_000)) !== 200) return undefined;
    const label = '{{index .Config.Labels "org.opencontainers.image.version"}}';
    return `v${await this.machine.docker('inspect', '--format', label, `${this.project}-thoth-1`)}`;
  }
}
