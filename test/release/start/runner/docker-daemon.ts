import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Docker, findDocker } from '../../../../src/release/machine/docker.ts';

const READY_WITHIN_MS = 60_000;

/** A Docker daemon of the test's own. */
export interface Daemon {
  readonly docker: Docker;
  readonly dir: string;
  /** Starts it again on what it left, where a test killed it. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts dockerd with its data, socket and processes in a new folder. It touches neither the machine's
 * firewall nor its bridges. From then on, every docker command of this process talks to it.
 */
export async function startDaemon(): Promise<Daemon> {
  const dir = await mkdtemp(join(tmpdir(), 'thoth-docker-'));
  process.env.DOCKER_HOST = `unix://${join(dir, 'docker.sock')}`;
  let child: ChildProcess | undefined;
  const stop = async () => {
    delete process.env.DOCKER_HOST;
    if (child !== undefined) await end(child);
    // It mounts that onto itself; where it was killed once, it leaves it so.
    spawnSync('umount', [join(dir, 'data-root')]);
    await rm(dir, { recursive: true, force: true });
  };
  try {
    let [started, docker] = await launch(dir);
    child = started;
    return {
      docker,
      dir,
      async restart() {
        await end(started);
        await containerdGone(dir);
        [started, docker] = await launch(dir);
        child = started;
      },
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function launch(dir: string): Promise<[ChildProcess, Docker]> {
  const flags = ['data-root', 'exec-root', 'pidfile'].flatMap((name) => [`--${name}`, join(dir, name)]);
  const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'];
  const host = ['--host', `unix://${join(dir, 'docker.sock')}`];
  const child = spawn('dockerd', [...flags, ...network, ...host, '--log-level', 'error'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
  let output = '';
  child.stderr.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  let failed = '';
  child.on('error', (error) => {
    failed = `dockerd does not start (apt-get install docker.io): ${error.message}`;
  });
  for (const limit = Date.now() + READY_WITHIN_MS; ; await sleep(100)) {
    const docker = await findDocker(dir);
    if (docker !== undefined) return [child, docker];
    if (failed === '' && child.exitCode === null && Date.now() < limit) continue;
    await end(child);
    assert.fail(failed || `dockerd does not come up: ${output}`);
  }
}

/** It dies with a daemon that was killed; one that is started before waits for it in vain. */
async function containerdGone(dir: string): Promise<void> {
  const pid = Number(
    await readFile(join(dir, 'exec-root/containerd/containerd.pid'), 'utf8').catch(() => ''),
  );
  for (const limit = Date.now() + READY_WITHIN_MS; pid > 0 && Date.now() < limit; await sleep(100)) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM'))
    await once(child, 'exit');
}
