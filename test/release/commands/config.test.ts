import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { config } from '../../../src/release/commands/config.ts';
import type { Context, Flags } from '../../../src/release/commands/context.ts';
import { readSettings } from '../../../src/release/settings.ts';
import { writeLayout } from '../image/layout-fixture.ts';

const DOCKERFILE = resolve(import.meta.dirname, '../../../examples/python/Dockerfile');

let project = '';
before(async () => {
  project = await mkdtemp(join(tmpdir(), 'thoth-config-'));
  await cp(DOCKERFILE, join(project, 'Dockerfile'));
});
after(() => rm(project, { recursive: true, force: true }));

/** What `config` says of the project with this file. */
async function said(file: object, flags: Flags = {}, env: NodeJS.ProcessEnv = {}) {
  await writeFile(join(project, 'thoth-release.json'), JSON.stringify(file));
  const printed: unknown[] = [];
  const context = {
    settings: readSettings({}, env, project),
    print: (_: string, value: unknown) => printed.push(value),
  };
  await config.run(context as unknown as Context, [], flags);
  return printed[0] as {
    registry: string;
    build: { args: Record<string, string>; epoch: number };
    start: { port?: number; env: Record<string, string> };
  };
}

test('an engine is told everything it builds with, also of a folder that is no repository', async () => {
  const { registry, build, start } = await said(
    { registry: 'ghcr.io', build: { args: { APP: '{version}' } }, start: { port: 9090 } },
    {},
    { THOTH_PYTHON_IMAGE: 'python:mine', THOTH_NPM_REGISTRY: 'https://npm.example' },
  );
  assert.equal(registry, 'ghcr.io');
  assert.deepEqual(build.args, {
    PYTHON_IMAGE: 'python:mine',
    NPM_CONFIG_REGISTRY: 'https://npm.example',
    APP: '0.0.0-dev',
  });
  assert.equal(build.epoch, 0);
  assert.deepEqual([start.port, start.env], [9090, { HOST: '{host}', PORT: '{port}' }]);
});

const STARTS: readonly (readonly [string, object, Record<string, unknown>, number])[] = [
  ['the file', { port: 9090 }, { ExposedPorts: { '8080/tcp': {} } }, 9090],
  ['the image', {}, { ExposedPorts: { '8080/tcp': {} } }, 8080],
  ['nothing', {}, {}, 8000],
];
for (const [who, start, image, port] of STARTS) {
  test(`with a layout it is told where that listens: ${who} names the port`, async () => {
    const layout = join(project, 'layout');
    await writeLayout(layout, { config: image });
    const told = (await said({ start }, { layout })).start;
    assert.deepEqual([told.port, told.env], [port, { HOST: '0.0.0.0', PORT: String(port) }]);
    await rm(layout, { recursive: true });
  });
}
