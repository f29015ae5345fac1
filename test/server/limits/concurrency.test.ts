import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Listener } from '../../../src/server/http/listener.ts';
import { type Limits, NO_LIMITS } from '../../../src/server/keys/client-key.ts';
import { nanosOf } from '../../../src/server/usage/money.ts';
import { openTestAccounts } from '../data.ts';
import { freePort } from '../free-port.ts';
import { emptyApp } from '../http/app.ts';

const CLIENTS = 32;
/** The most that a request may use of gpt-4o: 100 tokens of input, 900 of output. It uses a tenth. */
const ESTIMATE = { input: 100, maxOutput: 900 };
const MOST = nanosOf((100 * 2.5 + 900 * 10) / 1e6);

/**
 * A service over HTTP whose requests are a moment at the provider, and at least until so many have come.
 */
async function serve(context: TestContext, limits: Partial<Limits>, until = 0) {
  const { accounts } = openTestAccounts();
  const { key, token } = accounts.keyring.create({
    name: 'test',
    scopes: ['chat'],
    expiresAt: null,
    limits: { ...NO_LIMITS, ...limits },
  });
  const app = emptyApp();
  let arrived = 0;
  let atOnce = 0;
  let most = 0;
  app.post('/', accounts.authorize('chat'), async (c) => {
    const { caller } = c.var;
    arrived += 1;
    const call = accounts.meter.open(
      { requestId: 'r', caller, endpoint: 'chat.completions', model: 'openai/gpt-4o', streamed: false },
      ESTIMATE,
    );
    atOnce += 1;
    most = Math.max(most, atOnce);
    do await wait(Math.random() * 20);
    while (arrived < until);
    atOnce -= 1;
    call.close({
      provider: 'openai',
      upstreamModel: 'gpt-4o',
      status: 200,
      tokens: { input: 10, output: 90 },
      measured: 'provider',
      tries: 1,
    });
    return c.text('ok');
  });
  const port = await freePort();
  const listener = new Listener(app.fetch);
  await listener.listen(port, '127.0.0.1');
  context.after(() => listener.drain(0));
  const headers = { authorization: `Bearer ${token}` };
  const ask = async () => {
    const answer = await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', headers });
    await answer.text();
    return answer;
  };
  const recorded = () => {
    accounts.recorder.flush();
    return accounts.report
      .requests(Number.MAX_SAFE_INTEGER, 10_000)
      .filter(({ key_id }) => key_id === key.id);
  };
  return { ask, recorded, key, accounts, mostAtOnce: () => most };
}

describe(`${CLIENTS} clients at once, over HTTP`, () => {
  const cases: readonly [string, Partial<Limits>, number][] = [
    // Within the seconds of a test one more may come back; a limit of ten a minute gives one in six seconds.
    ['requests a minute', { requestsPerMinute: 10 }, 10],
    ['tokens a minute', { tokensPerMinute: 7_500 }, 7],
    ['budget', { monthlyBudget: MOST * 5 }, 5],
  ];
  for (const [name, limits, passes] of cases) {
    test(`exactly ${passes} of them pass: ${name}`, async (context) => {
      const { ask, recorded, mostAtOnce } = await serve(context, limits, CLIENTS);
      const answers = await Promise.all(Array.from({ length: CLIENTS }, ask));
      const statuses = answers.map(({ status }) => status);
      assert.deepEqual(
        [200, 429].map((status) => statuses.filter((one) => one === status).length),
        [passes, CLIENTS - passes],
      );
      assert.equal(mostAtOnce(), passes);
      for (const { status, headers } of answers) {
        if (status === 429) assert.ok(Number(headers.get('retry-after')) >= 1);
        assert.equal(headers.get('x-should-retry'), null);
      }
      assert.equal(recorded().length, CLIENTS);
    });
  }

  test('a budget is spent to the last request, and never beyond', async (context) => {
    const budget = nanosOf(0.05);
    const { ask, recorded, key, accounts } = await serve(context, { monthlyBudget: budget });
    const passed: number[] = [];
    const client = async () => {
      for (;;) {
        const { status, headers } = await ask();
        passed.push(status);
        // Told to wait for requests under way, it asks again; told to wait for the next month, it stops.
        if (headers.get('x-should-retry') === 'false') return;
        if (status === 429) await wait(5);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    const spent = accounts.recorder.spentSince(key.id, 0);
    assert.ok(spent <= budget && spent > budget - MOST, `${spent} of ${budget}`);
    const paid = recorded().filter(({ status }) => status === 200);
    assert.equal(paid.length, passed.filter((status) => status === 200).length);
    assert.equal(
      paid.reduce((sum, { cost }) => sum + (cost ?? 0), 0),
      spent,
    );
  });
});
