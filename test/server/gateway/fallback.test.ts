import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { APIError } from 'openai';
import { breakOff, eventsThenBreak, json, raw } from '../providers/fake-server.ts';
import { Fakes } from '../providers/vendors.ts';
import { Running } from '../running.ts';

const MESSAGES = [{ role: 'user' as const, content: 'Hi' }];
const MODEL = 'openai/gpt-4o';

let fakes: Fakes;
before(async () => {
  fakes = await Fakes.start();
});
after(() => fakes.stop());
beforeEach(() => fakes.reset());

describe('a chain of models', () => {
  let running: Running;
  before(async () => {
    running = await Running.start({
      ...fakes.settings,
      UPSTREAM_RETRIES: '0',
      BREAKER_FAILURES: '1000',
      MODEL_FALLBACKS: `${MODEL}=anthropic/claude-sonnet-4-5+google/gemini-2.5-flash`,
    });
  });
  after(() => running.stop());

  const elsewhere = [
    ['an outage', json({}, 500)],
    ['a broken connection', breakOff],
    ['nonsense', raw('nonsense')],
    ['no quota', json({ error: { message: 'x', code: 'insufficient_quota' } }, 429)],
    ['a key that is refused', json({}, 401)],
    ['a model that it does not know', json({}, 404)],
  ] as const;
  for (const [name, reaction] of elsewhere) {
    test(`the next one stands in after ${name}`, async () => {
      fakes.openai.next(reaction);
      const { data, response } = await running
        .client()
        .chat.completions.create({ model: MODEL, messages: MESSAGES })
        .withResponse();
      assert.equal(data.choices[0]?.message.content, 'Hello world');
      assert.equal(response.headers.get('x-thoth-model'), 'anthropic/claude-sonnet-4-5');
      const { call, outcome } = await running.meter.settled();
      assert.deepEqual([call.model, outcome.provider, outcome.tries], [MODEL, 'anthropic', 2]);
    });
  }

  test('and the one after that, for a stream too', async () => {
    fakes.openai.next(eventsThenBreak([]));
    fakes.anthropic.next(json({}, 529));
    const stream = await running
      .client()
      .chat.completions.create({ model: MODEL, messages: MESSAGES, stream: true });
    let text = '';
    for await (const { choices } of stream) text += choices[0]?.delta.content ?? '';
    assert.equal(text, 'Hello world');
    const { outcome } = await running.meter.settled();
    assert.deepEqual([outcome.provider, outcome.tries], ['google', 3]);
  });

  test('one that can not do what is asked for is passed over', async () => {
    fakes.openai.next(json({}, 500));
    const request = { model: MODEL, messages: MESSAGES, n: 2 };
    const { response } = await running.client().chat.completions.create(request).withResponse();
    assert.equal(response.headers.get('x-thoth-model'), 'google/gemini-2.5-flash');
    assert.equal(fakes.anthropic.asked.length, 0);
  });

  test("where none answers, the first one's failure counts", async () => {
    fakes.openai.next(json({ error: { message: 'slow down' } }, 429));
    fakes.anthropic.next(json({}, 500));
    fakes.google.next(breakOff);
    await assert.rejects(
      running.client().chat.completions.create({ model: MODEL, messages: MESSAGES }),
      (error) => error instanceof APIError && error.status === 429 && error.message.includes('slow down'),
    );
    assert.equal((await running.meter.settled()).outcome.tries, 3);
  });

  test('a request that is wrong is not passed on', async () => {
    fakes.openai.next(json({ error: { message: 'wrong' } }, 400));
    await assert.rejects(
      running.client().chat.completions.create({ model: MODEL, messages: MESSAGES }),
      (error) => error instanceof APIError && error.status === 400,
    );
    assert.equal(fakes.anthropic.asked.length, 0);
  });

  test('a stream that breaks after its first piece is not begun again elsewhere', async () => {
    const piece = 'data: {"choices":[{"index":0,"delta":{"content":"Hel"}}]}\n\n';
    fakes.openai.next(eventsThenBreak([piece]));
    const stream = await running
      .client()
      .chat.completions.create({ model: MODEL, messages: MESSAGES, stream: true });
    await assert.rejects(async () => {
      for await (const _ of stream);
    }, APIError);
    assert.equal(fakes.anthropic.asked.length, 0);
  });
});

describe('a provider that fails again and again', () => {
  test('is left alone, then tried by one request, and used again when that goes well', async (context) => {
    const running = await Running.start({
      ...fakes.settings,
      UPSTREAM_RETRIES: '0',
      BREAKER_FAILURES: '2',
      BREAKER_SECONDS: '1',
    });
    context.after(() => running.stop());
    const ask = () => running.post('/v1/chat/completions', { model: MODEL, messages: MESSAGES });
    const breaker = async () =>
      /thoth_breaker_state{provider="openai"} (\d)/.exec(await metrics(running))?.[1];
    // What is the request's own fault or the key's does not count.
    fakes.openai.next(json({}, 500), json({}, 400), json({}, 401), json({}, 429), json({}, 500));
    const statuses = [];
    for (let index = 0; index < 6; index++) statuses.push((await ask()).status);
    assert.deepEqual(statuses, [502, 400, 502, 429, 502, 503]);
    assert.equal(await breaker(), '2');
    assert.equal(fakes.openai.asked.length, 5);
    const refused = await ask();
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '1');

    while ((await ask()).status === 503) await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(await breaker(), '0');
  });
});

async function metrics(running: Running): Promise<string> {
  return await (await fetch(`${running.url}/metrics`)).text();
}
