import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { chooseBase } from '../../../src/release/build/base.ts';
import type { Regctl } from '../../../src/release/registry/regctl.ts';
import { dockerfileImages } from '../../../src/release/settings.ts';
import { failure } from '../machine/failure.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const DEFAULTS = dockerfileImages(PROJECT);
const DIGEST = `sha256:${'1'.repeat(64)}`;
const STAND_IN = { node: 'stand-in/node', runtime: 'stand-in/runtime' };

/** A network in which only some images are to be had. */
const reaching =
  (...images: string[]): Regctl =>
  async ([, , image = '']) =>
    images.includes(image)
      ? { exitCode: 0, stdout: `${DIGEST}\n`, stderr: '' }
      : { exitCode: 1, stdout: '', stderr: `no such host\n${image} is out of reach\n` };

const choose = (regctl: Regctl, named: { nodeImage?: string; runtimeImage?: string } = {}) =>
  chooseBase(
    { project: PROJECT, nodeImage: undefined, runtimeImage: undefined, ...named },
    regctl,
    async () => STAND_IN,
  );

describe('the base images', () => {
  test('are the Dockerfile’s own where both can be reached', async () => {
    assert.deepEqual(await choose(reaching(DEFAULTS.node, DEFAULTS.runtime)), {
      ...DEFAULTS,
      standIn: false,
    });
  });

  test('are the ones that were named, by the digest they have now', async () => {
    const named = { nodeImage: 'a/node:24', runtimeImage: `a/runtime@${DIGEST}` };
    const chosen = { node: `a/node:24@${DIGEST}`, runtime: `a/runtime@${DIGEST}`, standIn: false };
    assert.deepEqual(await choose(reaching(named.nodeImage, named.runtimeImage), named), chosen);
  });

  for (const reached of [[], [DEFAULTS.node], [DEFAULTS.runtime]]) {
    test(`are a stand-in where only ${reached.length} of the defaults can be reached`, async () => {
      assert.deepEqual(await choose(reaching(...reached)), { ...STAND_IN, standIn: true });
    });
  }

  test('are never a stand-in for one that was named', async () => {
    const error = await failure(choose(reaching(DEFAULTS.node), { runtimeImage: 'a/runtime' }));
    assert.equal(error.code, 'BASE_IMAGE');
    assert.match(error.message, /a\/runtime/);
    assert.deepEqual(error.details, ['a/runtime is out of reach']);
  });
});
