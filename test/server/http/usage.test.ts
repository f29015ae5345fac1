import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { addUsage } from '../../../src/server/http/usage.ts';
import { NO_LIMITS } from '../../../src/server/keys/client-key.ts';
import { UsageTable } from '../../../src/server/usage/usage-table.ts';
import { openTestAccounts } from '../data.ts';
import { REQUEST } from '../usage/entry-fixture.ts';
import { emptyApp } from './app.ts';
import { client } from './client.ts';

const { accounts } = openTestAccounts();
const app = emptyApp();
addUsage(app, accounts);
const as = (key?: string) => client((path, init) => app.request(path, init), key);
const admin = as();

const own = accounts.keyring.create({ name: 'own', scopes: ['usage'], expiresAt: null, limits: NO_LIMITS });
const OWN = own.key.id;

const at = (time: string, more: object = {}) => ({
  ...REQUEST,
  key_id: OWN,
  ...more,
  at: Date.parse(time) * 1000,
});
new UsageTable(accounts.store).add([
  at('2026-11-01T00:00:00Z'),
  at('2026-11-01T23:59:59Z', { upstream_model: 'gpt-99', cost: null }),
  at('2026-11-02T10:30:00Z', { key_id: 'gone', status: 429, provider: null, cost: 0, ms: 10 }),
  at('2026-11-02T10:59:59Z', { cost: 2000 }),
]);

const Sums = z.looseObject({ requests: z.number(), cost_usd: z.number().nullable() });
const Usage = z.object({ from: z.string(), to: z.string(), total: Sums, data: z.array(Sums) });
const ask = async (query: string, key?: string) =>
  Usage.parse((await as(key).get(`/v1/usage?${query}`)).body);
const NOVEMBER = 'from=2026-11-01&to=2026-12-01';

describe('GET /v1/usage', () => {
  test('all of it', async () => {
    const { total, data, from, to } = await ask(NOVEMBER);
    assert.deepEqual(data, []);
    assert.deepEqual([from, to], ['2026-11-01T00:00:00.000Z', '2026-12-01T00:00:00.000Z']);
    assert.deepEqual(total, {
      requests: 4,
      errors: 1,
      input_tokens: 40,
      output_tokens: 80,
      cached_tokens: 0,
      cost_usd: 0.000_003,
      unpriced_requests: 1,
      average_ms: 25,
    });
  });

  const groups: readonly [string, string, readonly string[], readonly unknown[][]][] = [
    [
      'by day',
      'group_by=day',
      ['day'],
      [
        ['2026-11-01', 2],
        ['2026-11-02', 2],
      ],
    ],
    [
      'by hour',
      'group_by=hour',
      ['hour'],
      [
        ['2026-11-01T00:00:00.000Z', 1],
        ['2026-11-01T23:00:00.000Z', 1],
        ['2026-11-02T10:00:00.000Z', 2],
      ],
    ],
    [
      'by model',
      'group_by=model',
      ['model'],
      [
        ['fast', 1],
        ['openai/gpt-4o-mini', 2],
        ['openai/gpt-99', 1],
      ],
    ],
    [
      'by key and day',
      'group_by=key,day',
      ['key', 'day'],
      [
        [{ id: OWN, name: 'own' }, '2026-11-01', 2],
        [{ id: OWN, name: 'own' }, '2026-11-02', 1],
        [{ id: 'gone', name: null }, '2026-11-02', 1],
      ],
    ],
    ['of one key', 'group_by=model&key=gone', ['model'], [['fast', 1]]],
    ['of one model', 'group_by=day&model=openai/gpt-99', ['day'], [['2026-11-01', 1]]],
  ];
  for (const [name, query, columns, expected] of groups) {
    test(name, async () => {
      const { data } = await ask(`${NOVEMBER}&${query}`);
      assert.deepEqual(
        data.map((row) => [...columns.map((column) => row[column]), row.requests]),
        [...expected].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
      );
    });
  }

  test('a cost that is not known is null, and never 0', async () => {
    const { data } = await ask(`${NOVEMBER}&group_by=model`);
    const costs = Object.fromEntries(data.map((row) => [row.model, row.cost_usd]));
    assert.deepEqual(costs, { fast: 0, 'openai/gpt-4o-mini': 0.000_003, 'openai/gpt-99': null });
  });

  test('a range begins with its first hour and ends before its last', async () => {
    const { total } = await ask('from=2026-11-01T23:30:00%2B00:00&to=2026-11-02T10:00:00Z');
    assert.equal(total.requests, 1);
    assert.equal((await ask('from=2026-11-03&to=2026-11-04')).total.requests, 0);
  });

  test('a key without the scope admin sees itself alone', async () => {
    for (const query of [NOVEMBER, `${NOVEMBER}&key=gone`]) {
      assert.equal((await ask(query, own.token)).total.requests, 3);
    }
  });

  test('what was just recorded is in it', async () => {
    const before = (await ask('')).total.requests;
    accounts.recorder.record(REQUEST);
    assert.equal((await ask('')).total.requests, before + 1);
  });

  const wrong: readonly [string, string][] = [
    ['from=yesterday', 'from'],
    ['group_by=user', 'group_by'],
    ['group_by=', 'group_by'],
    ['to=2026-13-01', 'to'],
  ];
  for (const [query, param] of wrong) {
    test(`is refused: ${query}`, async () => {
      const { status, body } = await admin.get(`/v1/usage?${query}`);
      assert.equal(status, 400);
      assert.match(String((body.error as { param: string }).param), new RegExp(`^${param}`));
    });
  }
});

describe('GET /v1/usage/requests', () => {
  const List = z.object({
    data: z.array(z.looseObject({ key: z.looseObject({ id: z.string() }) })),
    next_before: z.number().nullable(),
  });

  test('page by page, the newest first', async () => {
    const first = List.parse((await as(own.token).get('/v1/usage/requests?limit=2')).body);
    const second = List.parse(
      (await as(own.token).get(`/v1/usage/requests?limit=2&before=${first.next_before}`)).body,
    );
    assert.deepEqual(
      [...first.data, ...second.data].map((row) => row.ended_at),
      ['2026-11-02T10:59:59.000Z', '2026-11-01T23:59:59.000Z', '2026-11-01T00:00:00.000Z'],
    );
    assert.deepEqual([second.data.length, second.next_before], [1, null]);
    assert.deepEqual(first.data[0], {
      ended_at: '2026-11-02T10:59:59.000Z',
      request_id: 'request',
      key: { id: OWN, name: 'own' },
      endpoint: 'chat.completions',
      model: 'fast',
      provider: 'openai',
      upstream_model: 'gpt-4o-mini',
      status: 200,
      streamed: false,
      input_tokens: 10,
      output_tokens: 20,
      cached_tokens: null,
      cost_usd: 0.000_002,
      measured: 'provider',
      ms: 30,
      first_byte_ms: 5,
      tries: 1,
    });
  });

  for (const query of [
    'limit=0',
    'limit=1001',
    'limit=x',
    'before=-1',
    'before=',
    'before=9007199254740992',
  ]) {
    test(`is refused: ${query}`, async () => {
      assert.equal((await admin.get(`/v1/usage/requests?${query}`)).status, 400);
    });
  }
});
