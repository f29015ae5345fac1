import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { run } from '../../../../src/release/machine/command.ts';
import { requireTool } from '../../../../src/release/machine/tools.ts';
import { createRegctl, type Regctl } from '../../../../src/release/registry/regctl.ts';
import { createDockerRunner } from '../../../../src/release/start/runner/docker.ts';
import { startPlatform } from '../../../../src/release/start/start.ts';
import { POLICY, START } from '../../config/defaults.ts';
import { failure } from '../../machine/failure.ts';
import { type Daemon, startDaemon } from './docker-daemon.ts';
import { compileHello, helloLayout } from './hello-fixture.ts';
import { runnerContract } from './runner-contract.ts';

describe('Docker as runner', () => {
  let daemon: Daemon;
  let regctl: Regctl;
  before(async () => {
    daemon = await startDaemon();
    await compileHello(daemon.dir);
    regctl = createRegctl(await requireTool('regctl', resolve(import.meta.dirname, '../../../../.thoth')));
  });
  after(() => daemon.stop());

  const runner = () => createDockerRunner(daemon.docker.program, daemon.dir, regctl, daemon.docker.version);
  const docker = async (...args: string[]) => (await run(daemon.docker.program, args)).stdout;

  runnerContract(runner);

  test('says how to set emulation up where a foreign platform can not run', async () => {
    // Where it is not on the PATH there is no QEMU to hand over, and nothing told the kernel of one.
    const path = process.env.PATH;
    const layout = await helloLayout(daemon.dir);
    process.env.PATH = daemon.dir;
    try {
      const arm64 = layout.platforms.find((image) => image.platform === 'linux/arm64');
      assert.ok(arm64);
      const error = await failure(
        startPlatform(runner(), layout.dir, arm64, { start: START, healthcheck: POLICY.healthcheck }),
      );
      assert.equal(error.code, 'NO_RUNNER');
      assert.match(error.remedy, /binfmt/);
    } finally {
      process.env.PATH = path;
    }
  });

  test('leaves no container, image, network or volume', async () => {
    assert.equal(await docker('container', 'ls', '--quiet', '--all'), '');
    assert.equal(await docker('image', 'ls', '--quiet', '--all'), '');
    assert.equal(await docker('volume', 'ls', '--quiet'), '');
    assert.equal(await docker('network', 'ls', '--quiet', '--filter', 'type=custom'), '');
  });
});
