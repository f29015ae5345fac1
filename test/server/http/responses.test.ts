import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { APIError } from 'openai';
import { RESPONSE, responseEvents } from '../providers/fake-openai.ts';
import { eventsThenBreak } from '../providers/fake-server.ts';
import { Fakes } from '../providers/vendors.ts';
import { Running } from '../running.ts';

let fakes: Fakes;
let running: Running;
before(async () => {
  fakes = await Fakes.start();
  running = await Running.start(fakes.settings);
});
after(async () => {
  await running.stop();
  await fakes.stop();
});
beforeEach(() => fakes.reset());

const REQUEST = { model: 'openai/gpt-4o', input: 'Hi' };
const TOKENS = { input: 11, output: 4, cachedInput: 5 };

test('a whole answer', async () => {
  const answer = await running.client().responses.create(REQUEST);
  assert.equal(answer.output_text, 'Hello world');
  assert.equal(answer.id, RESPONSE.id);
  const { call, outcome } = await running.meter.settled();
  assert.equal(call.endpoint, 'responses');
  assert.deepEqual([outcome.status, outcome.tokens, outcome.measured], [200, TOKENS, 'provider']);
});

test('a stream, event by event as it came', async () => {
  const answer = await running.post('/v1/responses', { ...REQUEST, stream: true });
  assert.equal(answer.headers.get('content-type'), 'text/event-stream; charset=utf-8');
  assert.equal(await answer.text(), responseEvents().join(''));
  const { outcome } = await running.meter.settled();
  assert.deepEqual([outcome.status, outcome.tokens, outcome.measured], [200, TOKENS, 'provider']);
});

test('a stream that is cut is estimated by what came', async () => {
  fakes.openai.next(eventsThenBreak(responseEvents().slice(0, 3)));
  await assert.rejects(async () => {
    for await (const _ of await running.client().responses.create({ ...REQUEST, stream: true }));
  }, APIError);
  const { outcome } = await running.meter.settled();
  assert.deepEqual([outcome.status, outcome.measured, outcome.tokens?.output], [502, 'estimate', 2]);
});

const refused = [
  ['a model of Anthropic', { model: 'claude-sonnet-4-5' }, 'model'],
  ['a model of Google', { model: 'gemini-2.5-flash' }, 'model'],
  ['work in the background', { background: true }, 'background'],
] as const;
for (const [name, change, param] of refused) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(
      running.client().responses.create({ ...REQUEST, ...change }),
      (error) => error instanceof APIError && error.status === 400 && error.param === param,
    );
  });
}
