import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import { createHub, syncPage } from '../../../src/release/docker-hub/hub.ts';
import { failure } from '../machine/failure.ts';
import { FakeHub, HUB_TOKEN, HUB_USER, PUSH_TOKEN } from './fake-hub.ts';

const PAGE = { short: 'A gateway.', full: '# Thoth\n\nText.\n' };

describe('the page on Docker Hub', () => {
  let hub: FakeHub;
  let pauses: number[];
  let warnings: string[];
  const started: FakeHub[] = [];
  beforeEach(async () => {
    hub = new FakeHub();
    started.push(hub);
    pauses = [];
    warnings = [];
    await hub.start();
  });
  after(() => Promise.all(started.map((one) => one.stop())));

  const open = (access: { repository?: string; user?: string; token?: string } = {}) =>
    createHub(
      {
        address: hub.address,
        repository: 'marcopancotti/thoth',
        user: HUB_USER,
        token: HUB_TOKEN,
        ...access,
      },
      { attempts: 3, pause: async (ms) => void pauses.push(ms), warn: (text) => void warnings.push(text) },
    );

  test('is written once, and a second time nothing is', async () => {
    assert.deepEqual(await syncPage(open(), PAGE), ['short', 'full']);
    assert.equal(hub.description, PAGE.short);
    assert.equal(hub.fullDescription, PAGE.full.trimEnd());
    hub.calls.length = 0;
    assert.deepEqual(await syncPage(open(), PAGE), []);
    assert.deepEqual(hub.writes, ['POST /v2/auth/token']);
  });

  test('a changed part alone is told, and line ends are no change', async () => {
    hub.description = PAGE.short;
    hub.fullDescription = '# Thoth\r\n\r\nText.';
    assert.deepEqual(await syncPage(open(), PAGE), []);
    hub.description = 'Another.';
    assert.deepEqual(await syncPage(open(), PAGE), ['short']);
  });

  test('a token that ran out is replaced once', async () => {
    const client = open();
    await client.page();
    hub.expireTokens();
    await syncPage(client, PAGE);
    assert.equal(hub.calls.filter((call) => call === 'POST /v2/auth/token').length, 2);
    hub.fault = ({ method }) =>
      method === 'GET' ? { status: 401, body: { message: 'unauthorized' } } : undefined;
    const error = await failure(client.page());
    assert.equal(error.code, 'HUB_DENIED');
  });

  test('a rate limit is waited out: X-Retry-After, Retry-After, X-RateLimit-Reset', async () => {
    const soon = String(Math.ceil(Date.now() / 1_000) + 30);
    hub.failNext(
      {
        status: 429,
        headers: { 'x-retry-after': soon },
        body: { detail: 'Rate limit exceeded', error: false },
      },
      { status: 429, headers: { 'retry-after': '7' } },
    );
    await open().page();
    assert.ok((pauses[0] ?? 0) > 20_000 && (pauses[0] ?? 0) <= 31_000, String(pauses));
    assert.equal(pauses[1], 7_000);
    assert.match(warnings[1] ?? '', /Docker Hub asks to wait 7 seconds/);
    hub.failNext({ status: 429, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': soon } });
    await open().page();
    assert.ok((pauses[2] ?? 0) > 20_000, String(pauses));
  });

  test('a limit that lasts for an hour is not waited out', async () => {
    hub.failNext({ status: 429, headers: { 'retry-after': '3600' } });
    const error = await failure(open().page());
    assert.equal(error.code, 'HUB_FAILED');
    assert.match(error.message, /asks to wait 60 minutes/);
    assert.deepEqual(pauses, []);
  });

  test('server errors, and a write whose answer was lost, are met by asking again', async () => {
    hub.failNext({ status: 503 }, 'cut');
    await syncPage(open(), PAGE);
    hub.description = '';
    hub.fault = ({ method }) => {
      if (method !== 'PATCH') return undefined;
      hub.fault = () => undefined;
      return 'lost';
    };
    assert.deepEqual(await syncPage(open(), PAGE), ['short']);
    assert.equal(hub.description, PAGE.short);
  });

  test('somebody who edits it at the same time is noticed', async () => {
    hub.afterWrite = () => {
      hub.fullDescription = 'mine';
    };
    const error = await failure(syncPage(open(), PAGE));
    assert.equal(error.code, 'HUB_FAILED');
    assert.match(error.message, /does not show .* as it was written/);
  });

  test('tags come from every page, and the token goes to no other address', async () => {
    hub.pageSize = 2;
    hub.tags = ['v1.0.0', 'v1.0', 'v1', 'latest', 'odd'].map((name, index) => ({
      name,
      digest: index < 4 ? 'sha256:a' : null,
    }));
    assert.deepEqual([...(await open().tags()).keys()], ['v1.0.0', 'v1.0', 'v1', 'latest']);
  });

  test('a public page is read without a login', async () => {
    const page = await createHub({ address: hub.address, repository: 'marcopancotti/thoth' }).page();
    assert.deepEqual(page, { short: '', full: '' });
    assert.deepEqual(hub.writes, []);
  });

  const REFUSED: readonly (readonly [string, Parameters<typeof open>[0], string, RegExp])[] = [
    ['a wrong token', { token: 'wrong-token' }, 'HUB_DENIED', /refused the login of marcopancotti/],
    ['a token that may only push', { token: PUSH_TOKEN }, 'HUB_DENIED', /does not let marcopancotti edit/],
    [
      'a repository that is not there',
      { repository: 'marcopancotti/none' },
      'HUB_REPOSITORY',
      /has no repository/,
    ],
    ['a name without a namespace', { repository: 'thoth' }, 'HUB_REPOSITORY', /thoth is no repository/],
  ];
  for (const [name, access, code, message] of REFUSED) {
    test(`${name}: ${code}, nothing written, no secret shown`, async () => {
      const error = await failure((async () => syncPage(open(access), PAGE))());
      assert.equal(error.code, code);
      assert.match(error.message, message);
      assert.doesNotMatch(JSON.stringify(error), /wrong-token|dckr_pat/);
      assert.equal(hub.description, '');
    });
  }

  test('a page of a proxy in its place is no answer', async () => {
    hub.fault = () => ({ status: 200, body: '<html>' });
    const error = await failure(open().page());
    assert.equal(error.code, 'HUB_FAILED');
  });
});
