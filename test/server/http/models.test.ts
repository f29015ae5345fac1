import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { APIError } from 'openai';
import { breakOff, json } from '../providers/fake-server.ts';
import { Fakes } from '../providers/vendors.ts';
import { Running } from '../running.ts';

const ALL = [
  'fast',
  'openai/gpt-4o',
  'openai/text-embedding-3-small',
  'anthropic/claude-sonnet-4-5',
  'google/gemini-2.5-flash',
  'google/gemini-embedding-001',
];

let fakes: Fakes;
before(async () => {
  fakes = await Fakes.start();
});
after(() => fakes.stop());
beforeEach(() => fakes.reset());

const start = (settings = {}) =>
  Running.start({ ...fakes.settings, MODEL_ALIASES: 'fast=openai/gpt-4o', ...settings });

async function idsOf(running: Running): Promise<string[]> {
  const ids = [];
  for await (const { id } of running.client().models.list()) ids.push(id);
  return ids;
}

test('the models of all providers and the aliases, asked for once', async (context) => {
  const running = await start();
  context.after(() => running.stop());
  assert.deepEqual((await Promise.all([idsOf(running), idsOf(running)])).flat(), [...ALL, ...ALL]);
  assert.deepEqual(await idsOf(running), ALL);
  assert.deepEqual(
    [fakes.openai, fakes.anthropic, fakes.google].map(({ asked }) => asked.length),
    [1, 1, 1],
  );
});

test('one model, its slash as the client of OpenAI writes it and as it is', async (context) => {
  const running = await start();
  context.after(() => running.stop());
  const expected = {
    id: 'anthropic/claude-sonnet-4-5',
    object: 'model',
    created: 1_759_104_000,
    owned_by: 'anthropic',
  };
  assert.deepEqual({ ...(await running.client().models.retrieve(expected.id)) }, expected);
  const answer = await fetch(`${running.url}/v1/models/${expected.id}`);
  assert.deepEqual(await answer.json(), expected);
  assert.equal((await running.client().models.retrieve('fast')).owned_by, 'thoth');
  await assert.rejects(
    running.client().models.retrieve('openai/nothing'),
    (error) => error instanceof APIError && error.status === 404 && error.code === 'model_not_found',
  );
});

test('a provider that does not tell is left out, and asked again', async (context) => {
  const running = await start();
  context.after(() => running.stop());
  fakes.anthropic.next(breakOff);
  assert.deepEqual(
    await idsOf(running),
    ALL.filter((id) => !id.startsWith('anthropic')),
  );
  assert.deepEqual(await idsOf(running), ALL);
});

test('a provider without a key is left out', async (context) => {
  const running = await start({ ANTHROPIC_API_KEY: '' });
  context.after(() => running.stop());
  assert.deepEqual(
    await idsOf(running),
    ALL.filter((id) => !id.startsWith('anthropic')),
  );
  assert.equal(fakes.anthropic.asked.length, 0);
});

test('where none tells, that is an error', async (context) => {
  const running = await start({ ANTHROPIC_API_KEY: '', GOOGLE_API_KEY: '' });
  context.after(() => running.stop());
  fakes.openai.next(json({}, 401));
  await assert.rejects(idsOf(running), (error) => error instanceof APIError && error.status === 502);
});

test('all pages', async (context) => {
  const running = await start();
  context.after(() => running.stop());
  fakes.anthropic.next(json({ data: [{ id: 'claude-a' }], has_more: true, last_id: 'claude-a' }));
  const model = { name: 'models/gemini-a', supportedGenerationMethods: ['generateContent'] };
  fakes.google.next(json({ models: [model], nextPageToken: 'to/ken' }));
  const ids = await idsOf(running);
  for (const id of ['anthropic/claude-a', 'google/gemini-a', ...ALL]) assert.ok(ids.includes(id), id);
  assert.equal(fakes.anthropic.last.path, '/v1/models?limit=1000&after_id=claude-a');
  assert.equal(fakes.google.last.path, '/v1beta/models?pageSize=1000&pageToken=to%2Fken');
});
