import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createAuthorize } from '../../../src/server/http/authorize.ts';
import { SCOPES, type Scope } from '../../../src/server/keys/caller.ts';
import { type Limits, NO_LIMITS } from '../../../src/server/keys/client-key.ts';
import { Keyring } from '../../../src/server/keys/keyring.ts';
import { Allowances } from '../../../src/server/limits/allowances.ts';
import { Secret } from '../../../src/server/settings/secret.ts';
import { Store } from '../../../src/server/store/store.ts';
import { ADMIN_KEY, dataDirectory } from '../data.ts';
import { emptyApp } from './app.ts';

function open({ auth = 'on', data = dataDirectory() }: { auth?: 'on' | 'off'; data?: string } = {}) {
  const keyring = new Keyring(new Store(data));
  const allowances = new Allowances(() => 0);
  const authorize = createAuthorize({ keyring, allowances, adminKey: new Secret(ADMIN_KEY), auth });
  const app = emptyApp();
  for (const scope of SCOPES) {
    app.get(`/${scope}`, authorize(scope), (context) => context.text(context.var.caller.name));
  }
  app.get('/fails', authorize('chat'), () => {
    throw new Error('planted');
  });
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const answer = await app.request(path, { headers });
    const text = await answer.text();
    const code: unknown = answer.ok ? undefined : JSON.parse(text).error.code;
    return { status: answer.status, headers: answer.headers, text, code };
  };
  const make = (scopes: readonly Scope[], limits: Partial<Limits> = {}, expiresAt: number | null = null) =>
    keyring.create({ name: 'made', scopes, expiresAt, limits: { ...NO_LIMITS, ...limits } });
  return { keyring, ask, make };
}

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

describe('who is refused', () => {
  const { ask, make, keyring } = open();
  const { key, token } = make(['chat']);
  keyring.revoke(key.id);
  const cases: readonly [string, Record<string, string>, number, string][] = [
    ['no key', {}, 401, 'missing_api_key'],
    ['another scheme', { authorization: `Basic ${ADMIN_KEY}` }, 401, 'missing_api_key'],
    ['an empty key', { authorization: 'Bearer ' }, 401, 'missing_api_key'],
    ['two keys', bearer(`${ADMIN_KEY} ${ADMIN_KEY}`), 401, 'missing_api_key'],
    ['a key of nobody', bearer('sk-planted-0123456789'), 401, 'invalid_api_key'],
    ['a revoked key', bearer(token), 401, 'invalid_api_key'],
    ['an expired key', bearer(make(['chat'], {}, 1).token), 401, 'expired_api_key'],
    ['a key without the scope', bearer(make(['models', 'usage']).token), 403, 'insufficient_scope'],
  ];
  for (const [name, headers, status, code] of cases) {
    test(name, async () => {
      const answer = await ask('/chat', headers);
      assert.deepEqual([answer.status, answer.code], [status, code]);
      assert.equal(answer.headers.get('www-authenticate'), status === 401 ? 'Bearer' : null);
      for (const given of Object.values(headers))
        assert.equal(answer.text.includes(given.slice(7) || ' '.repeat(99)), false);
    });
  }
});

describe('who passes', () => {
  const { ask, make } = open();
  test('a key with the scope, by its name', async () => {
    const { token } = make(['chat']);
    const { status, text } = await ask('/chat', bearer(token));
    assert.deepEqual([status, text], [200, 'made']);
    assert.equal((await ask('/chat', { authorization: `bearer   ${token}` })).status, 200);
  });
  for (const scope of SCOPES) {
    test(`an admin, and THOTH_ADMIN_KEY, for ${scope}`, async () => {
      assert.equal((await ask(`/${scope}`, bearer(make(['admin']).token))).status, 200);
      assert.equal((await ask(`/${scope}`, bearer(ADMIN_KEY))).text, 'THOTH_ADMIN_KEY');
    });
  }
});

describe('AUTH=off', () => {
  const cases: readonly [string, Record<string, string>, number][] = [
    ['a program', {}, 200],
    ['a program with any key', bearer('sk-anything'), 200],
    ['a page of this machine', { origin: 'http://localhost:3000' }, 200],
    ['a page of this machine, by IPv6', { origin: 'http://[::1]:3000' }, 200],
    ['somebody else’s page', { origin: 'https://evil.example' }, 403],
    ['a name that begins like this machine’s', { origin: 'http://localhost.evil.example' }, 403],
    ['a page without an origin', { origin: 'null' }, 403],
  ];
  for (const [name, headers, status] of cases) {
    test(name, async () => assert.equal((await open({ auth: 'off' }).ask('/admin', headers)).status, status));
  }
});

test('answers tell what is left of the limits, errors too', async () => {
  const { ask, make } = open();
  const { token } = make(['chat'], { requestsPerMinute: 10, tokensPerMinute: 600 });
  for (const path of ['/chat', '/fails']) {
    const { headers } = await ask(path, bearer(token));
    const told = [...headers].filter(([name]) => name.startsWith('x-ratelimit-'));
    assert.deepEqual(Object.fromEntries(told), {
      'x-ratelimit-limit-requests': '10',
      'x-ratelimit-limit-tokens': '600',
      'x-ratelimit-remaining-requests': '10',
      'x-ratelimit-remaining-tokens': '600',
      'x-ratelimit-reset-requests': '0s',
      'x-ratelimit-reset-tokens': '0s',
    });
  }
});

test('without the store, 503, but for who has THOTH_ADMIN_KEY', async () => {
  const { ask } = open({ data: '/nowhere/at/all' });
  const token = `thoth_${'0'.repeat(12)}_${'0'.repeat(64)}`;
  const answer = await ask('/chat', bearer(token));
  assert.deepEqual(
    [answer.status, answer.code, answer.headers.get('retry-after')],
    [503, 'store_unavailable', '5'],
  );
  assert.equal((await ask('/chat', bearer(ADMIN_KEY))).status, 200);
});
