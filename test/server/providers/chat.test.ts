import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import type OpenAI from 'openai';
import { Running } from '../running.ts';
import { raw } from './fake-server.ts';
import { Fakes } from './vendors.ts';

let fakes: Fakes;
let running: Running;
let client: OpenAI;
before(async () => {
  fakes = await Fakes.start();
  running = await Running.start({ ...fakes.settings, MODEL_ALIASES: 'fast=anthropic/claude-haiku-4-5' });
  client = running.client();
});
after(async () => {
  await running.stop();
  await fakes.stop();
});
beforeEach(() => fakes.reset());

const MODELS = [
  ['openai', 'openai/gpt-4o', 'gpt-4o-2024-08-06'],
  ['anthropic', 'anthropic/claude-sonnet-4-5', 'claude-sonnet-4-5-20250929'],
  ['google', 'google/gemini-2.5-flash', 'gemini-2.5-flash'],
] as const;
const MESSAGES = [{ role: 'user' as const, content: 'Hi' }];
const TOOLS = ['weather', 'clock'].map((name) => ({
  type: 'function' as const,
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } } } },
}));
const TOKENS = { input: 11, output: 4, cachedInput: 5 };

for (const [provider, model, answered] of MODELS) {
  describe(provider, () => {
    test('a whole answer', async () => {
      const answer = await client.chat.completions.create({ model, messages: MESSAGES });
      assert.equal(answer.choices[0]?.message.content, 'Hello world');
      assert.equal(answer.choices[0]?.finish_reason, 'stop');
      assert.equal(answer.model, answered);
      assert.equal(answer.usage?.total_tokens, 15);
      assert.equal(answer.usage?.prompt_tokens_details?.cached_tokens, 5);
      const { call, outcome } = await running.meter.settled();
      assert.equal(call.model, model);
      assert.equal(call.streamed, false);
      const { firstByteMs, ...rest } = outcome;
      assert.ok(firstByteMs !== undefined && firstByteMs > 0);
      assert.deepEqual(rest, {
        provider,
        upstreamModel: model.slice(provider.length + 1),
        status: 200,
        tokens: TOKENS,
        measured: 'provider',
        tries: 1,
      });
    });

    for (const include_usage of [true, false]) {
      test(`a stream ${include_usage ? 'with' : 'without'} usage`, async () => {
        const stream = await client.chat.completions.create({
          model,
          messages: MESSAGES,
          stream: true,
          ...(include_usage ? { stream_options: { include_usage } } : {}),
        });
        let text = '';
        let finish: string | null = null;
        const usages = [];
        for await (const { choices, usage } of stream) {
          text += choices[0]?.delta.content ?? '';
          finish = choices[0]?.finish_reason ?? finish;
          if (usage) usages.push([choices.length, usage.total_tokens]);
        }
        assert.equal(text, 'Hello world');
        assert.equal(finish, 'stop');
        assert.deepEqual(usages, include_usage ? [[0, 15]] : []);
        const { call, outcome } = await running.meter.settled();
        assert.equal(call.streamed, true);
        assert.deepEqual([outcome.status, outcome.tokens, outcome.measured], [200, TOKENS, 'provider']);
      });
    }

    for (const streamed of [false, true]) {
      test(`parallel calls of tools, ${streamed ? 'streamed' : 'whole'}`, async () => {
        const request = { model, messages: MESSAGES, tools: TOOLS };
        const answer = streamed
          ? await client.chat.completions.stream(request).finalChatCompletion()
          : await client.chat.completions.create(request);
        const [choice] = answer.choices;
        assert.equal(choice?.finish_reason, 'tool_calls');
        const calls = (choice?.message.tool_calls ?? []).map((call) => {
          assert.ok(call.type === 'function' && call.id.length > 0 && call.id.length <= 40);
          return [call.function.name, JSON.parse(call.function.arguments)];
        });
        const second = provider === 'openai' ? ['weather', { city: 'Oslo' }] : ['clock', {}];
        assert.deepEqual(calls, [['weather', { city: 'Rome' }], second]);
      });
    }

    test("the provider's key and nothing of the client's goes upstream", async () => {
      await client.chat.completions.create({ model, messages: MESSAGES });
      const { headers } = fakes[provider].last;
      const keys = [headers.authorization, headers['x-api-key'], headers['x-goog-api-key']];
      const expected = provider === 'openai' ? 'Bearer key-of-openai' : `key-of-${provider}`;
      assert.deepEqual(keys.filter(Boolean), [expected]);
      assert.equal(JSON.stringify(headers).includes('sk-client'), false);
      assert.equal(headers['x-stainless-lang'], undefined);
    });
  });
}

test('an alias, and a bare name', async () => {
  await client.chat.completions.create({ model: 'fast', messages: MESSAGES });
  assert.equal(fakes.anthropic.last.body.model, 'claude-haiku-4-5');
  await client.chat.completions.create({ model: 'gpt-4o', messages: MESSAGES });
  assert.equal(fakes.openai.last.body.model, 'gpt-4o');
});

test('to OpenAI a request passes byte for byte but for the name of the model', async () => {
  const body =
    '{ "model":"openai/gpt-4o","seed":12345678901234567890, "messages":[{"role":"user","content":"\\u00e9 é"}],"new_thing":{"a":[1,2]} }';
  await running.post('/v1/chat/completions', body);
  assert.equal(fakes.openai.last.text, body.replace('openai/gpt-4o', 'gpt-4o'));
  const bare = body.replace('openai/', '');
  await running.post('/v1/chat/completions', bare);
  assert.equal(fakes.openai.last.text, bare);
});

test('an answer of OpenAI passes byte for byte', async () => {
  const body =
    '{"id":"x","choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3},"big":12345678901234567890}';
  fakes.openai.next(raw(body));
  const answer = await running.post('/v1/chat/completions', { model: 'gpt-4o', messages: MESSAGES });
  assert.equal(await answer.text(), body);
});
