import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';
import OpenAI from 'openai';
import { type Bundle, makeBundle } from './bundle.ts';
import { freePort } from './free-port.ts';
import { chatEvents } from './providers/fake-openai.ts';
import { Fakes, VENDORS } from './providers/vendors.ts';
import { Service } from './service.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Hi' }];

let bundle: Bundle;
let folder: string;
let fakes: Fakes;
let service: Service;
let client: OpenAI;
before(async () => {
  [bundle, fakes] = await Promise.all([makeBundle(), Fakes.start()]);
  folder = mkdtempSync(join(tmpdir(), 'thoth-providers-'));
  writeFileSync(join(folder, 'openai'), 'first-key-of-openai\n');
  const port = await freePort();
  service = new Service(bundle.file, ['serve'], {
    ...fakes.settings,
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: folder,
    AUTH: 'off',
    OPENAI_API_KEY_FILE: join(folder, 'openai'),
    ANTHROPIC_API_KEY: 'key-of-anthropic',
    GOOGLE_API_KEY: 'key-of-google',
  });
  await service.logged('listening');
  client = new OpenAI({ baseURL: `http://127.0.0.1:${port}/v1`, apiKey: 'none', maxRetries: 0 });
});
after(async () => {
  service.kill();
  await service.ended();
  await fakes.stop();
  bundle.remove();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => fakes.reset());

async function textOf(model: string): Promise<string> {
  let text = '';
  const stream = await client.chat.completions.create({ model, messages: MESSAGES, stream: true });
  for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
  return text;
}

for (const { name, model } of VENDORS) {
  test(`the bundle streams from ${name}`, async () => {
    assert.equal(await textOf(model), 'Hello world');
  });
}

test('SIGHUP: the next request has the new key, and the log has neither', async () => {
  await textOf('openai/gpt-4o');
  assert.equal(fakes.openai.last.headers.authorization, 'Bearer first-key-of-openai');
  writeFileSync(join(folder, 'openai'), 'second-key-of-openai\n');
  service.process.kill('SIGHUP');
  await service.logged('provider keys changed');
  await textOf('openai/gpt-4o');
  assert.equal(fakes.openai.last.headers.authorization, 'Bearer second-key-of-openai');
  for (const key of ['first-key', 'second-key']) assert.equal(service.stdout.includes(key), false);
});

test('SIGTERM: the stream under way is finished first', async () => {
  const events = chatEvents({});
  let release = () => {};
  fakes.openai.next(async (_asked, reply) => {
    reply.writeHead(200, { 'content-type': 'text/event-stream' });
    reply.write(events.slice(0, 2).join(''));
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    reply.end(events.slice(2).join(''));
  });
  const arrival = fakes.openai.arrival();
  const text = textOf('openai/gpt-4o');
  await arrival;
  service.process.kill('SIGTERM');
  await service.logged('stopping');
  release();
  assert.equal(await text, 'Hello world');
  assert.equal(await service.ended(), 0);
});
