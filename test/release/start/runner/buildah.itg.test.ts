import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildahStorage } from '../../../../src/release/build/builder/buildah.ts';
import { run } from '../../../../src/release/machine/command.ts';
import { requireTool } from '../../../../src/release/machine/tools.ts';
import { createBuildahRunner } from '../../../../src/release/start/runner/buildah.ts';
import type { Runner } from '../../../../src/release/start/runner/runner.ts';
import { START } from '../../config/defaults.ts';
import { runnerContract } from './runner-contract.ts';

describe('buildah as runner', () => {
  let home: string;
  let buildah: string;
  let runner: Runner;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'thoth-home-'));
    buildah = await requireTool('buildah', home);
    runner = createBuildahRunner(buildah, home);
  });
  after(() => rm(home, { recursive: true, force: true }));

  runnerContract(() => runner);

  test('starts one after the other what is not told a port: all would listen on the same one', () => {
    assert.equal(runner.together({ ...START, env: {} }), false);
  });

  test('leaves no container and no mount', async () => {
    const { stdout } = await run(buildah, [...buildahStorage(home), 'containers', '--quiet']);
    assert.equal(stdout, '');
    assert.ok(!(await readFile('/proc/mounts', 'utf8')).includes(home));
  });
});
