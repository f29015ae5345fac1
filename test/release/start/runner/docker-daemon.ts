import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Docker, findDocker } from '../../../../src/release/machine/docker.ts';

const READY_WITHIN_MS = 60_000;

/** A Docker daemon of the test's own. */
export interface Daemon {
  readonly docker: Docker;
  readonly dir: string;
  stop(): Promise<void>;
}

/**
 * Starts dockerd with its data, socket and processes in a new folder. It touches neither the machine's
 * firewall nor its bridges. From then on, every docker command of this process talks to it.
 */
export async function startDaemon(): Promise<Daemon> {
  const dir = await mkdtemp(join(tmpdir(), 'thoth-docker-'));
  const flags = ['data-root', 'exec-root', 'pidfile'].flatMap((name) => [`--${name}`, join(dir, name)]);
  const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'];
  const socket = `unix://${join(dir, 'docker.sock')}`;
  const child = spawn('dockerd', [...flags, ...network, '--host', socket, '--log-level', 'error'], {
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
  process.env.DOCKER_HOST = socket;
  const stop = async () => {
    delete process.env.DOCKER_HOST;
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGTERM'))
      await once(child, 'exit');
    await rm(dir, { recursive: true, force: true });
  };
  for (const limit = Date.now() + READY_WITHIN_MS; ; await sleep(100)) {
    const docker = await findDocker(dir);
    if (docker !== undefined) return { docker, dir, stop };
    if (failed === '' && child.exitCode === null && Date.now() < limit) continue;
    await stop();
    assert.fail(failed || `dockerd does not come up: ${output}`);
  }
}
