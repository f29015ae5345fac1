import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Running } from '../running.ts';

const PUBLIC = 'https://thoth.example.com';
const HSTS = 'strict-transport-security';

const hosts = ['127.0.0.1', '10.0.0.1'] as const;
for (const trusted of hosts) {
  describe(`served by HTTPS alone, where the proxy ${trusted} is trusted`, () => {
    let running: Running;
    before(async () => {
      running = await Running.start({ PUBLIC_URL: PUBLIC, TRUSTED_PROXIES: trusted });
    });
    after(() => running.stop());
    const isTrusted = trusted === '127.0.0.1';
    const secure = { 'x-forwarded-proto': 'https' };
    const plain = { 'x-forwarded-proto': 'http' };

    const cases: readonly [string, string, string, Record<string, string>, number][] = [
      ['a page by HTTPS', 'GET', '/docs', secure, isTrusted ? 200 : 308],
      ['a page by HTTP', 'GET', '/docs', plain, 308],
      ['a page with no word of the proxy', 'GET', '/docs', {}, 308],
      ['the API by HTTPS', 'GET', '/v1/nothing', secure, isTrusted ? 404 : 403],
      ['the API by HTTP', 'POST', '/v1/chat/completions', plain, 403],
      ['reading the API by HTTP', 'GET', '/v1/models', plain, 403],
      ['metrics by HTTP', 'GET', '/metrics', plain, 308],
      ['health by HTTP', 'GET', '/health', {}, 200],
      ['readiness by HTTP', 'GET', '/ready', plain, 200],
    ];
    for (const [name, method, path, headers, status] of cases) {
      test(`${name}: ${status}`, async () => {
        const answer = await fetch(`${running.url}${path}?a=1`, { method, headers, redirect: 'manual' });
        assert.equal(answer.status, status);
        assert.equal(answer.headers.get('location'), status === 308 ? `${PUBLIC}${path}?a=1` : null);
        assert.equal(answer.headers.has(HSTS), isTrusted && headers === secure);
        const text = await answer.text();
        if (status === 403) assert.match(text, /"code":"https_required"/);
      });
    }
  });
}

test('an open /metrics is read by HTTP', async (context) => {
  const running = await Running.start({ PUBLIC_URL: PUBLIC, TRUSTED_PROXIES: '10.0.0.1', METRICS: 'open' });
  context.after(() => running.stop());
  assert.equal((await fetch(`${running.url}/metrics`)).status, 200);
});

test('without it, nothing promises HTTPS', async (context) => {
  const running = await Running.start({ TRUSTED_PROXIES: '127.0.0.1' });
  context.after(() => running.stop());
  const answer = await fetch(`${running.url}/docs`, { headers: { 'x-forwarded-proto': 'https' } });
  assert.deepEqual([answer.status, answer.headers.has(HSTS)], [200, false]);
});
