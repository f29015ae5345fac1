import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import { APIError } from 'openai';
import { json } from '../providers/fake-server.ts';
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

const cases = [
  ['openai/text-embedding-3-small', 'provider', 7],
  ['google/gemini-embedding-001', 'estimate', undefined],
] as const;
for (const [model, measured, input] of cases) {
  for (const encoding_format of [undefined, 'float'] as const) {
    test(`${model}, ${encoding_format ?? "as OpenAI's client asks by default"}`, async () => {
      const format = encoding_format === undefined ? {} : { encoding_format };
      const answer = await running.client().embeddings.create({ model, input: ['a', 'b'], ...format });
      assert.deepEqual(
        answer.data.map(({ index, embedding }) => [index, embedding]),
        [0, 1].map((index) => [index, [0.5, -0.25, 0.125]]),
      );
      const { call, outcome } = await running.meter.settled();
      assert.equal(call.endpoint, 'embeddings');
      assert.deepEqual([outcome.status, outcome.measured, outcome.tokens?.output], [200, measured, 0]);
      assert.ok(outcome.tokens !== undefined && outcome.tokens.input > 0);
      if (input !== undefined) assert.equal(outcome.tokens.input, input);
    });
  }
}

test("Google's own count is taken where it tells", async () => {
  fakes.google.next(json({ embeddings: [{ values: [1] }], usageMetadata: { promptTokenCount: 3 } }));
  const answer = await running.client().embeddings.create({ model: 'gemini-embedding-001', input: 'a' });
  assert.equal(answer.usage.prompt_tokens, 3);
  const { outcome } = await running.meter.settled();
  assert.deepEqual([outcome.tokens, outcome.measured], [{ input: 3, output: 0 }, 'provider']);
});

test('Anthropic has none', async () => {
  await assert.rejects(
    running.client().embeddings.create({ model: 'claude-sonnet-4-5', input: 'a' }),
    (error) => error instanceof APIError && error.status === 400 && error.code === 'unsupported',
  );
});
