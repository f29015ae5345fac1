import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test';
import { z } from 'zod';
import { breakOff, json, type Reaction } from '../providers/fake-server.ts';
import { Fakes } from '../providers/vendors.ts';
import { Running } from '../running.ts';

const Provider = z.strictObject({
  id: z.string(),
  object: z.literal('provider'),
  configured: z.boolean(),
  state: z.enum(['closed', 'open', 'half-open']),
  answered_at: z.iso.datetime().nullable(),
  last_error: z.strictObject({ at: z.iso.datetime(), message: z.string() }).nullable(),
});
const Providers = z.strictObject({ object: z.literal('list'), data: z.array(Provider) });

const REQUEST = { model: 'openai/gpt-4o', messages: [{ role: 'user', content: 'Hi' }] };
const PLANTED = 'planted-words';
const FAULT = { error: { message: PLANTED, code: 'planted' } };

let fakes: Fakes;
before(async () => {
  fakes = await Fakes.start();
});
after(() => fakes.stop());
beforeEach(() => fakes.reset());

/** How a new service sees its providers after OpenAI has met its requests with these reactions, then `well` with an answer. */
async function seen(context: TestContext, reactions: readonly Reaction[], well: boolean) {
  const running = await Running.start({
    ...fakes.settings,
    UPSTREAM_RETRIES: '0',
    BREAKER_FAILURES: '2',
    GOOGLE_API_KEY: '',
  });
  context.after(() => running.stop());
  fakes.openai.next(...reactions);
  for (let asked = 0; asked < reactions.length + Number(well); asked++) {
    await (await running.post('/v1/chat/completions', REQUEST)).text();
  }
  const answer = await fetch(`${running.url}/v1/providers`);
  assert.equal(answer.headers.get('cache-control'), 'no-store');
  return Providers.parse(await answer.json()).data;
}

describe('GET /v1/providers', () => {
  test('at the start it tells which have a key', async (context) => {
    const unknown = { object: 'provider', state: 'closed', answered_at: null, last_error: null };
    assert.deepEqual(await seen(context, [], false), [
      { id: 'openai', configured: true, ...unknown },
      { id: 'anthropic', configured: true, ...unknown },
      { id: 'google', configured: false, ...unknown },
    ]);
  });

  const cases: readonly [string, readonly Reaction[], boolean, string, RegExp | undefined][] = [
    ['an answer', [], true, 'closed', undefined],
    ['an outage, then an answer', [json(FAULT, 500)], true, 'closed', /answered with 500\.$/],
    ['outages until it is left alone', [breakOff, breakOff], false, 'open', /can not be reached\.$/],
    [
      'a key that it refuses',
      [json(FAULT, 401)],
      false,
      'closed',
      /refused the key that is set for it \(401\)\.$/,
    ],
    ['too many requests', [json(FAULT, 429)], false, 'closed', /answered with 429\.$/],
    ['a request that was wrong', [json(FAULT, 400)], false, 'closed', undefined],
  ];
  for (const [name, reactions, well, state, message] of cases) {
    test(name, async (context) => {
      const [openai] = await seen(context, reactions, well);
      assert.ok(openai);
      assert.equal(openai.state, state);
      assert.equal(openai.answered_at !== null, well);
      if (message === undefined) assert.equal(openai.last_error, null);
      else assert.match(openai.last_error?.message ?? '', message);
      assert.equal(JSON.stringify(openai).includes(PLANTED), false, "the provider's words stay out");
    });
  }
});
