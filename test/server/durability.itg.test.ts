import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { countFaults } from '../count-faults.ts';
import { type Bundle, makeBundle } from './bundle.ts';
import { ADMIN_KEY, dataDirectory } from './data.ts';
import { mountDisk } from './disk.ts';
import { freePort } from './free-port.ts';
import { client } from './http/client.ts';
import { startOpenAi } from './providers/fake-openai.ts';
import type { FakeServer } from './providers/fake-server.ts';
import { Service } from './service.ts';

const CLIENTS = 16;
const Requests = z.object({
  data: z.array(z.object({ request_id: z.string(), status: z.number() })),
  next_before: z.number().nullable(),
});

let bundle: Bundle;
let provider: FakeServer;
before(async () => {
  [bundle, provider] = await Promise.all([makeBundle(), startOpenAi()]);
});
after(async () => {
  bundle.remove();
  await provider.stop();
});

type Environment = Readonly<Record<string, string>>;

async function serve(context: TestContext, environment: Environment) {
  const port = await freePort();
  const service = new Service(bundle.file, [], {
    HOST: '127.0.0.1',
    PORT: String(port),
    THOTH_ADMIN_KEY: ADMIN_KEY,
    OPENAI_API_KEY: 'sk-planted-openai-1',
    OPENAI_BASE_URL: `${provider.url}/v1`,
    LOG_LEVEL: 'warn',
    ...environment,
  });
  context.after(() => service.kill());
  const url = `http://127.0.0.1:${port}`;
  while ((await fetch(`${url}/health`).catch(() => undefined))?.status !== 200) {
    assert.equal(service.process.exitCode, null, service.stderr);
    await wait(10);
  }
  return { service, url, admin: client((path, init) => fetch(url + path, init)) };
}

/** Asks for an answer, streamed or not, and waits for its very end. @returns false where it did not come */
async function ask(url: string, id: string): Promise<boolean> {
  const body = {
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'planted prompt' }],
    stream: id.endsWith('s'),
  };
  const headers = {
    authorization: `Bearer ${ADMIN_KEY}`,
    'content-type': 'application/json',
    'x-request-id': id,
  };
  try {
    const answer = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    await answer.text();
    return answer.status === 200;
  } catch {
    return false;
  }
}

/** Clients that ask again and again until told to stop. */
function load(url: string) {
  const answered: string[] = [];
  let stopped = false;
  const one = async (name: number) => {
    for (let count = 0; !stopped; count += 1) {
      const id = `${name}-${count}-${count % 2 === 0 ? 's' : 'w'}`;
      if (await ask(url, id)) answered.push(id);
      else await wait(5);
    }
  };
  const all = Promise.all(Array.from({ length: CLIENTS }, (_, name) => one(name)));
  const stop = async () => {
    stopped = true;
    await all;
  };
  const reached = async (count: number) => {
    while (answered.length < count) await wait(5);
  };
  return { answered, stop, reached };
}

/** The ids of all requests that are recorded. */
async function recorded({ admin }: Awaited<ReturnType<typeof serve>>): Promise<string[]> {
  const ids: string[] = [];
  for (let before = ''; ; ) {
    const page = Requests.parse((await admin.get(`/v1/usage/requests?limit=1000${before}`)).body);
    ids.push(...page.data.map(({ request_id }) => request_id));
    if (page.next_before === null) return ids;
    before = `&before=${page.next_before}`;
  }
}

/** What is in `some` and not in `all`. */
function missing(some: readonly string[], all: readonly string[]): string[] {
  const known = new Set(all);
  return some.filter((id) => !known.has(id));
}

test('killed at any moment, it has recorded every request that was answered, once', async (context) => {
  const environment = { DATA_DIR: dataDirectory() };
  const answered: string[] = [];
  for (const [round, count] of [40, 300, 150].entries()) {
    const running = await serve(context, environment);
    const clients = load(running.url);
    await clients.reached(count);
    running.service.kill();
    await running.service.ended();
    await clients.stop();
    answered.push(...clients.answered);
    const next = await serve(context, environment);
    const lost = missing(clients.answered, await recorded(next));
    assert.deepEqual(lost, [], `round ${round}`);
    countFaults(context, `The service killed while ${CLIENTS} clients ask`, 1, {
      'answered requests': lost.length,
    });
    next.service.process.kill('SIGTERM');
    assert.equal(await next.service.ended(), 0);
  }
  const last = await serve(context, environment);
  const { body } = await last.admin.get('/v1/usage');
  const { requests } = z.object({ requests: z.number() }).parse(body.total);
  const ids = await recorded(last);
  assert.equal(requests, ids.length, 'sums and rows tell the same');
  assert.ok(requests >= answered.length);
});

test('backed up while it serves, and restored: whole, with all that was answered before', async (context) => {
  const data = dataDirectory();
  const running = await serve(context, { DATA_DIR: data });
  const clients = load(running.url);
  await clients.reached(50);
  const before = [...clients.answered];
  const file = join(dataDirectory(), 'thoth.tar');
  const backup = new Service(bundle.file, ['backup', '--output', file], { DATA_DIR: data });
  assert.equal(await backup.ended(), 0, backup.stderr);
  const restoring = (args: readonly string[], into: string) =>
    new Service(bundle.file, ['restore', file, ...args], { DATA_DIR: into });
  const refused = restoring([], data);
  assert.equal(await refused.ended(), 75);
  await clients.stop();

  const other = dataDirectory();
  const restore = restoring(['--json'], other);
  assert.equal(await restore.ended(), 0, restore.stderr);
  const copy = await serve(context, { DATA_DIR: other });
  const ids = await recorded(copy);
  assert.deepEqual(missing(before, ids), []);
  assert.equal(new Set(ids).size, ids.length);
});

test('on a full disk it serves on, says so in its log and /metrics, and writes all when there is room', async (context) => {
  const disk = mountDisk('4m');
  const running = await serve(context, { DATA_DIR: disk.path });
  const metric = async (name: string) => {
    const headers = { authorization: `Bearer ${ADMIN_KEY}` };
    const text = await (await fetch(`${running.url}/metrics`, { headers })).text();
    return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1]);
  };
  assert.equal(await ask(running.url, 'first-w'), true);
  assert.equal(await metric('thoth_usage_writable'), 1);
  const filler = join(disk.path, 'filler');
  assert.throws(() => writeFileSync(filler, Buffer.alloc(8_000_000)), { code: 'ENOSPC' });
  const ids = Array.from({ length: 1000 }, (_, index) => `full-${index}-${index % 2 === 0 ? 's' : 'w'}`);
  for (let from = 0; from < ids.length; from += CLIENTS) {
    const answers = await Promise.all(ids.slice(from, from + CLIENTS).map((id) => ask(running.url, id)));
    assert.ok(answers.every((answer) => answer));
  }
  assert.equal(await metric('thoth_usage_writable'), 0);
  assert.ok((await metric('thoth_usage_waiting')) > 100);
  assert.equal((await fetch(`${running.url}/health`)).status, 200);
  const ready = await fetch(`${running.url}/ready`);
  assert.deepEqual([ready.status, /full disk/.test(await ready.text())], [503, true]);
  const warnings = running.service.lines().filter(({ msg }) => /usage can not be written/.test(String(msg)));
  assert.equal(warnings.length, 1);
  rmSync(filler);
  while ((await metric('thoth_usage_waiting')) > 0) await wait(50);
  const lost = missing(['first-w', ...ids], await recorded(running));
  assert.deepEqual(lost, []);
  countFaults(context, 'A request answered while the disk is full', ids.length, {
    'answered requests': lost.length,
  });
  running.service.process.kill('SIGTERM');
  assert.equal(await running.service.ended(), 0);
});

test('the log has no prompt, unless LOG_PROMPTS=true; then it says so', async (context) => {
  for (const LOG_PROMPTS of ['false', 'true']) {
    const { service, url } = await serve(context, {
      DATA_DIR: dataDirectory(),
      LOG_LEVEL: 'trace',
      LOG_PROMPTS,
    });
    assert.equal(await ask(url, 'one-w'), true);
    service.process.kill('SIGTERM');
    await service.ended();
    assert.equal(service.stdout.includes('planted prompt'), LOG_PROMPTS === 'true');
    assert.equal(service.stdout.includes('LOG_PROMPTS is true'), LOG_PROMPTS === 'true');
    assert.equal(service.stdout.includes(ADMIN_KEY), false);
  }
});

test('no prompt and no answer is in any file of the data directory', async (context) => {
  const data = dataDirectory();
  const running = await serve(context, { DATA_DIR: data });
  assert.equal(await ask(running.url, 'one-s'), true);
  assert.equal((await recorded(running)).length, 1);
  for (const file of readdirSync(data, { recursive: true, withFileTypes: true })) {
    const text = file.isFile() ? readFileSync(join(file.parentPath, file.name), 'latin1') : '';
    assert.doesNotMatch(text, /planted prompt|lo wor/, file.name);
  }
});
