import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { assemble } from '../running.ts';

type App = ReturnType<typeof assemble>['service']['app'];

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8';

let app: App;
before(() => {
  app = assemble().service.app;
});

describe('GET / by what is accepted', () => {
  const cases: readonly [string, string | undefined, string][] = [
    ['a browser', BROWSER, 'text/html; charset=UTF-8'],
    ['curl', '*/*', 'application/json'],
    ['nothing is said', undefined, 'application/json'],
    ['a program', 'application/json', 'application/json'],
    ['a program that takes both', 'application/json, text/html;q=0.5', 'application/json'],
  ];
  for (const [name, accept, type] of cases) {
    test(name, async () => {
      const answer = await app.request('/', accept === undefined ? {} : { headers: { accept } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers.get('content-type'), type);
      assert.equal(answer.headers.get('vary'), 'Accept');
    });
  }
});

test('the page may load its own files alone, and nothing may frame it', async () => {
  const { headers } = await app.request('/', { headers: { accept: BROWSER } });
  const policy = new Map(
    (headers.get('content-security-policy') ?? '').split('; ').map((part) => {
      const [name = '', ...values] = part.split(' ');
      return [name, values.join(' ')];
    }),
  );
  assert.equal(policy.get('default-src'), "'none'");
  for (const name of ['script-src', 'style-src', 'img-src', 'connect-src']) {
    assert.equal(policy.get(name), "'self'", name);
  }
  for (const name of ['frame-ancestors', 'form-action', 'base-uri', 'trusted-types']) {
    assert.equal(policy.get(name), "'none'", name);
  }
  assert.equal(headers.get('x-frame-options'), 'DENY');
});

describe('GET /console/NAME', () => {
  test('each file that the page names is there', async () => {
    const page = await (await app.request('/', { headers: { accept: BROWSER } })).text();
    const names = [...page.matchAll(/(?:src|href)="(console\/[^"]+)"/g)].map(([, name]) => `/${name}`);
    assert.deepEqual([...new Set(names)].sort(), [
      '/console/console.js',
      '/console/icon.svg',
      '/console/style.css',
    ]);
    for (const name of names) {
      const answer = await app.request(name);
      assert.equal(answer.status, 200, name);
      assert.equal(answer.headers.get('cache-control'), 'no-cache', name);
    }
  });

  test('one that did not change is not sent again', async () => {
    const first = await app.request('/console/console.js');
    const tag = first.headers.get('etag') ?? '';
    const again = await app.request('/console/console.js', { headers: { 'if-none-match': tag } });
    assert.deepEqual([again.status, await again.text()], [304, '']);
  });

  for (const name of ['index.html', 'nothing.js', '__proto__', 'constructor.js', '..%2Fmain.ts', 'main.ts']) {
    test(`${name} is not there`, async () => {
      assert.equal((await app.request(`/console/${name}`)).status, 404);
    });
  }
});
