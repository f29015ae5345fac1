import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { addKeys } from '../../../src/server/http/keys.ts';
import { addUsage } from '../../../src/server/http/usage.ts';
import { IssuedKeyView } from '../../../src/server/keys/key-json.ts';
import { ADMIN_KEY, openTestAccounts } from '../data.ts';
import { emptyApp } from './app.ts';
import { client } from './client.ts';

const { accounts } = openTestAccounts();
const app = emptyApp();
addKeys(app, accounts.authorize, accounts.keyring);
addUsage(app, accounts);
const as = (key?: string) => client((path, init) => app.request(path, init), key);
const admin = as();

async function create(body: object = {}) {
  const { status, body: made } = await admin.post('/v1/keys', { name: 'made', ...body });
  assert.equal(status, 201);
  return IssuedKeyView.parse(made);
}

test('a key is made, listed without its secret, and revoked', async () => {
  const { key, ...shown } = await create({ requests_per_minute: 5, monthly_budget_usd: 0.25 });
  assert.deepEqual(shown.scopes, ['chat', 'embeddings', 'models']);
  assert.deepEqual(
    [shown.requests_per_minute, shown.tokens_per_minute, shown.monthly_budget_usd],
    [5, null, 0.25],
  );
  const list = await admin.get('/v1/keys');
  assert.equal(list.headers.get('cache-control'), 'no-store');
  const { data } = z.object({ data: z.array(z.looseObject({ id: z.string() })) }).parse(list.body);
  assert.deepEqual(
    data.find(({ id }) => id === shown.id),
    shown,
  );
  assert.equal(JSON.stringify(list.body).includes(key.slice(19)), false);
  assert.equal((await as(key).get('/v1/keys')).code, 'insufficient_scope');
  const revoked = await admin.delete(`/v1/keys/${shown.id}`);
  assert.deepEqual([revoked.status, revoked.body.state], [200, 'revoked']);
  assert.equal((await as(key).get('/v1/keys')).code, 'invalid_api_key');
});

test('a key is rotated, by default with a day in which both are accepted', async () => {
  const made = await create({ scopes: ['usage'] });
  const rotated = IssuedKeyView.parse((await admin.post(`/v1/keys/${made.id}/rotate`)).body);
  assert.deepEqual({ ...rotated, key: '' }, { ...made, key: '' });
  for (const { key } of [made, rotated]) assert.equal((await as(key).get('/v1/usage')).status, 200);
  const brief = await admin.post(`/v1/keys/${made.id}/rotate`, { overlap_hours: 0.000_001 });
  assert.equal(brief.status, 200);
  const last = IssuedKeyView.parse(
    (await admin.post(`/v1/keys/${made.id}/rotate`, { overlap_hours: 0 })).body,
  );
  assert.equal((await as(rotated.key).get('/v1/usage')).status, 401);
  assert.equal((await as(last.key).get('/v1/usage')).status, 200);
});

describe('what is refused, and the parameter at fault', () => {
  const cases: readonly [string, unknown, string | undefined][] = [
    ['nothing', {}, 'name'],
    ['an empty name', { name: ' ' }, 'name'],
    ['a name of two lines', { name: 'a\nb' }, 'name'],
    ['a long name', { name: 'n'.repeat(101) }, 'name'],
    ['no scope', { name: 'n', scopes: [] }, 'scopes'],
    ['an unknown scope', { name: 'n', scopes: ['root'] }, 'scopes.0'],
    ['an end in the past', { name: 'n', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    ['an end that is no time', { name: 'n', expires_at: 'tomorrow' }, 'expires_at'],
    ['a limit of 0', { name: 'n', requests_per_minute: 0 }, 'requests_per_minute'],
    ['half a request', { name: 'n', requests_per_minute: 0.5 }, 'requests_per_minute'],
    ['a limit as text', { name: 'n', tokens_per_minute: '5' }, 'tokens_per_minute'],
    [
      'a budget below the least that is counted',
      { name: 'n', monthly_budget_usd: 1e-10 },
      'monthly_budget_usd',
    ],
    ['a negative budget', { name: 'n', monthly_budget_usd: -1 }, 'monthly_budget_usd'],
    ['a word too much', { name: 'n', budget: 1 }, undefined],
    ['a list', [], undefined],
  ];
  for (const [name, body, param] of cases) {
    test(name, async () => {
      const before = accounts.keyring.list().length;
      const answer = await admin.post('/v1/keys', body);
      assert.equal(answer.status, 400);
      const { error } = z.object({ error: z.object({ param: z.string().nullable() }) }).parse(answer.body);
      assert.equal(error.param, param ?? null);
      assert.equal(accounts.keyring.list().length, before);
    });
  }

  test('more than anybody writes', async () => {
    const { status, code } = await admin.post('/v1/keys', { name: 'n'.repeat(70_000) });
    assert.deepEqual([status, code], [413, 'request_too_large']);
  });

  test('no JSON', async () => {
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
    const answer = await app.request('/v1/keys', { method: 'POST', headers, body: '{' });
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /"code":"invalid_request"/);
  });

  test('a key that is not there', async () => {
    assert.equal((await admin.delete('/v1/keys/none')).code, 'key_not_found');
    assert.equal((await admin.post('/v1/keys/none/rotate', {})).code, 'key_not_found');
    const { id } = await create();
    await admin.delete(`/v1/keys/${id}`);
    assert.equal((await admin.post(`/v1/keys/${id}/rotate`, {})).status, 404);
  });
});
