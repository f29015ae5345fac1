import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assemble } from '../running.ts';

const ALLOWED = 'https://app.example.com';
const ALLOW = 'access-control-allow-origin';

const settings = { CORS_ORIGINS: `${ALLOWED},http://localhost:3000` };
const cases: readonly [string, Record<string, string>, string, string, string | null][] = [
  ['none is allowed by default', {}, '/v1/models/x', ALLOWED, null],
  ['one that is allowed', settings, '/v1/models/x', ALLOWED, ALLOWED],
  ['another one', settings, '/v1/models/x', 'https://evil.example.com', null],
  ['one that only begins like it', settings, '/v1/models/x', `${ALLOWED}.evil.example`, null],
  ['no origin', settings, '/v1/models/x', 'null', null],
  ['outside of the API', settings, '/health', ALLOWED, null],
];
for (const [name, environment, path, origin, expected] of cases) {
  test(`an origin: ${name}`, async () => {
    const { app } = assemble({ ...environment, ...NO_KEYS }).service;
    const answer = await app.request(path, { headers: { origin } });
    assert.equal(answer.headers.get(ALLOW), expected);
    assert.equal(answer.headers.get('access-control-allow-credentials'), null);
  });
}

/** So that no provider is asked. */
const NO_KEYS = { OPENAI_API_KEY: '', ANTHROPIC_API_KEY: '', GOOGLE_API_KEY: '' };

test('a browser that asks first is told what it may send, before any key is asked for', async () => {
  const { app } = assemble(settings).service;
  const headers = {
    origin: ALLOWED,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'authorization,content-type,x-stainless-lang',
  };
  const answer = await app.request('/v1/chat/completions', { method: 'OPTIONS', headers });
  assert.equal(answer.status, 204);
  assert.equal(answer.headers.get(ALLOW), ALLOWED);
  assert.equal(answer.headers.get('access-control-allow-headers'), headers['access-control-request-headers']);
  assert.match(answer.headers.get('vary') ?? '', /origin/i);
});
