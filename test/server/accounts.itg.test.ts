import assert from 'node:assert/strict';
import { chmodSync, chownSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { type Bundle, makeBundle } from './bundle.ts';
import { ADMIN_KEY, dataDirectory } from './data.ts';
import { freePort } from './free-port.ts';
import { client } from './http/client.ts';
import { Service } from './service.ts';

let bundle: Bundle;
before(async () => {
  bundle = await makeBundle();
});
after(() => bundle.remove());

/** Starts the service and waits until it listens. */
async function serve(context: TestContext, environment: Record<string, string> = {}) {
  const port = await freePort();
  const service = new Service(bundle.file, [], {
    HOST: '127.0.0.1',
    PORT: String(port),
    OPENAI_API_KEY: 'sk-planted-openai-1',
    ...environment,
  });
  context.after(() => service.kill());
  await service.logged('listening');
  const as = (key: string) => client((path, init) => fetch(`http://127.0.0.1:${port}${path}`, init), key);
  return { service, as };
}

describe('the first start', () => {
  test('prints a key once, on standard error alone, that opens everything', async (context) => {
    const data = dataDirectory();
    const first = await serve(context, { DATA_DIR: data });
    const [, token = ''] = /^ {4}(thoth_[0-9a-f]{12}_[0-9a-f]{64})$/m.exec(first.service.stderr) ?? [];
    assert.equal((await first.as(token).get('/v1/keys')).status, 200);
    assert.equal(first.service.stdout.includes(token.slice(19)), false);
    first.service.process.kill('SIGTERM');
    assert.equal(await first.service.ended(), 0);
    const second = await serve(context, { DATA_DIR: data });
    assert.equal((await second.as(token).get('/v1/keys')).status, 200);
    assert.equal(second.service.stderr, '');
  });

  test('with THOTH_ADMIN_KEY prints none', async (context) => {
    const { service, as } = await serve(context, { DATA_DIR: dataDirectory(), THOTH_ADMIN_KEY: ADMIN_KEY });
    assert.deepEqual((await as(ADMIN_KEY).get('/v1/keys')).body.data, []);
    assert.equal(service.stderr, '');
  });
});

describe('who may come in', () => {
  test('without a key nobody', async (context) => {
    const { as } = await serve(context, { DATA_DIR: dataDirectory(), THOTH_ADMIN_KEY: ADMIN_KEY });
    assert.equal((await as('').get('/v1/usage')).code, 'missing_api_key');
    assert.equal((await as('sk-any').get('/v1/usage')).code, 'invalid_api_key');
  });

  test('with AUTH=off everybody on this machine, and the log says so', async (context) => {
    const { service, as } = await serve(context, { DATA_DIR: dataDirectory(), AUTH: 'off' });
    assert.equal((await as('').get('/v1/usage')).status, 200);
    assert.equal(service.stderr, '');
    assert.ok(
      service.lines().some(({ level, msg }) => level === 'warn' && String(msg).startsWith('AUTH is off')),
    );
  });

  test('AUTH=off on an address that others reach is refused with exit code 78', async (context) => {
    const service = new Service(bundle.file, [], { AUTH: 'off', HOST: '0.0.0.0', DATA_DIR: dataDirectory() });
    context.after(() => service.kill());
    assert.equal(await service.ended(), 78);
    assert.match(
      service.stderr,
      /AUTH: is off, and HOST is not a loopback address.*\n {4}Fix: Set AUTH=on, or HOST=127/,
    );
  });
});

test('a second service on the same data is refused with exit code 75; after kill -9 of the first it is not', async (context) => {
  const environment = { DATA_DIR: dataDirectory(), THOTH_ADMIN_KEY: ADMIN_KEY };
  const first = await serve(context, environment);
  const port = await freePort();
  const second = new Service(bundle.file, [], { ...environment, HOST: '127.0.0.1', PORT: String(port) });
  context.after(() => second.kill());
  assert.equal(await second.ended(), 75);
  assert.match(second.stderr, /A service runs on this data directory/);
  first.service.kill();
  await first.service.ended();
  await serve(context, environment);
});

test('a user who is not root, and a volume that is root’s: it starts, and says what is wrong and what to do', async (context) => {
  const folder = dataDirectory();
  const data = join(folder, 'volume');
  mkdirSync(data, { mode: 0o755 });
  for (const path of [folder, bundle.directory]) chmodSync(path, 0o755);
  const port = await freePort();
  const service = new Service(
    bundle.file,
    [],
    { HOST: '127.0.0.1', PORT: String(port), DATA_DIR: data, THOTH_ADMIN_KEY: ADMIN_KEY },
    65_532,
  );
  context.after(() => service.kill());
  await service.logged('listening');
  const ready = await fetch(`http://127.0.0.1:${port}/ready`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /may not be written by this user.*in the image its user is 65532/);
  assert.equal((await fetch(`http://127.0.0.1:${port}/health`)).status, 200);
  chownSync(data, 65_532, 65_532);
  await wait(1_100);
  const { missing } = (await (await fetch(`http://127.0.0.1:${port}/ready`)).json()) as {
    missing: unknown[];
  };
  assert.equal(missing.length, 1, 'only a provider key is missing');
});
