import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { describe, test } from 'node:test';
import { chooseBase } from '../../../src/release/build/base.ts';
import { readBases } from '../../../src/release/build/dockerfile.ts';
import type { Regctl } from '../../../src/release/registry/regctl.ts';
import { BUILD } from '../config/defaults.ts';
import { failure } from '../machine/failure.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const STANDINS = { debian: [], npm: [], links: {}, env: {} };
const build = { ...BUILD, standIns: { NODE_IMAGE: STANDINS, RUNTIME_IMAGE: STANDINS } };
const DEFAULTS = Object.fromEntries(
  (await readBases({ project: PROJECT, build })).map(({ argument, image }) => [argument, image]),
);
const { NODE_IMAGE = '', RUNTIME_IMAGE = '' } = DEFAULTS;
const DIGEST = `sha256:${'1'.repeat(64)}`;
const STAND_IN = { NODE_IMAGE: 'stand-in/node', RUNTIME_IMAGE: 'stand-in/runtime' };

/** A network in which only some images are to be had. */
const reaching =
  (...images: string[]): Regctl =>
  async ([, , image = '']) =>
    images.includes(image)
      ? { exitCode: 0, stdout: `${DIGEST}\n`, stderr: '' }
      : { exitCode: 1, stdout: '', stderr: `no such host\n${image} is out of reach\n` };

const choose = (
  regctl: Regctl,
  baseImages: Record<string, string> = {},
  standIns: object = build.standIns,
  nowhere = async (_host: string) => false,
) =>
  chooseBase(
    { project: PROJECT, baseImages, build: { ...build, standIns: { ...standIns } } },
    regctl,
    async (bases) =>
      Object.fromEntries(
        Object.entries(STAND_IN).filter(([name]) => bases.some(({ argument }) => argument === name)),
      ),
    nowhere,
  );

describe('the base images', () => {
  test('are the Dockerfile’s own where both can be reached', async () => {
    assert.deepEqual(await choose(reaching(NODE_IMAGE, RUNTIME_IMAGE)), {
      images: DEFAULTS,
      standIn: false,
    });
  });

  test('are the ones that were named, by the digest they have now', async () => {
    const named = { NODE_IMAGE: 'a/node:24', RUNTIME_IMAGE: `a/runtime@${DIGEST}` };
    const images = { NODE_IMAGE: `a/node:24@${DIGEST}`, RUNTIME_IMAGE: `a/runtime@${DIGEST}` };
    assert.deepEqual(await choose(reaching(...Object.values(named)), named), { images, standIn: false });
  });

  for (const reached of [[], [NODE_IMAGE], [RUNTIME_IMAGE]]) {
    test(`are a stand-in where only ${reached.length} of the defaults can be reached`, async () => {
      assert.deepEqual(await choose(reaching(...reached)), { images: STAND_IN, standIn: true });
    });
  }

  test('are not asked for where the name of their registry does not exist', async () => {
    const unasked: Regctl = () => assert.fail('it was asked');
    const hosts: string[] = [];
    const nowhere = async (host: string) => hosts.push(host) > 0;
    const chosen = await choose(unasked, {}, build.standIns, nowhere);
    assert.deepEqual(chosen, { images: STAND_IN, standIn: true });
    assert.deepEqual(hosts.sort(), ['gcr.io', 'registry-1.docker.io']);
    const named = { NODE_IMAGE: 'node:24', RUNTIME_IMAGE: 'registry.example:5000/a/runtime' };
    const error = await failure(choose(unasked, named, build.standIns, nowhere));
    assert.deepEqual(
      [error.code, error.details],
      ['BASE_IMAGE', ['registry-1.docker.io: no such host', 'registry.example: no such host']],
    );
  });

  test('are never a stand-in for one that was named', async () => {
    const error = await failure(choose(reaching(NODE_IMAGE), { RUNTIME_IMAGE: 'a/runtime' }));
    assert.equal(error.code, 'BASE_IMAGE');
    assert.match(error.message, /a\/runtime/);
    assert.deepEqual(error.details, ['a/runtime is out of reach']);
  });

  test('are a stand-in where one is described, and else must be reached', async () => {
    const described = { NODE_IMAGE: STANDINS };
    const images = { NODE_IMAGE: STAND_IN.NODE_IMAGE, RUNTIME_IMAGE };
    assert.deepEqual(await choose(reaching(RUNTIME_IMAGE), {}, described), { images, standIn: true });
    const error = await failure(choose(reaching(NODE_IMAGE), {}, described));
    assert.equal(error.code, 'BASE_IMAGE');
    assert.match(error.message, /distroless/);
    assert.match(error.remedy, /build\.standIns/);
  });
});
