import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { buildahStorage, createBuildah } from '../../../../src/release/build/builder/buildah.ts';
import { run } from '../../../../src/release/machine/command.ts';
import { requireTool } from '../../../../src/release/machine/tools.ts';
import { builderContract } from './builder-contract.ts';

describe('buildah as builder', () => {
  const homes: string[] = [];

  builderContract(async (home, regctl) => {
    homes.push(home);
    return createBuildah(await requireTool('buildah', home), home, regctl);
  });

  test('leaves no container and no mount, whether it failed or not', async () => {
    const mounts = await readFile('/proc/mounts', 'utf8');
    assert.ok(homes.length > 0);
    for (const home of homes) {
      const buildah = await requireTool('buildah', home);
      const { stdout } = await run(buildah, [...buildahStorage(home), 'containers', '--quiet', '--all']);
      assert.equal(stdout, '');
      assert.ok(!mounts.includes(home), mounts);
    }
  });
});
