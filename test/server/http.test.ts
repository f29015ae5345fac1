import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { HTTPException } from 'hono/http-exception';
import { z } from 'zod';
import type { Fault } from '../../src/server/failure.ts';
import type { ReadinessCheck } from '../../src/server/readiness.ts';
import { assemble } from './running.ts';

const FAULT: Fault = { subject: 'DATA_DIR', problem: 'is gone', fix: 'Mount it.' };
const Body = z.record(z.string(), z.unknown());
/** What is no part of the API: its own description, and the files of a page. */
const NOT_API = ['/openapi.json', '/console/{name}'];

/** An app and what it logs. */
function create(readiness: readonly ReadinessCheck[] = []) {
  const { service, lines } = assemble({ LOG_LEVEL: 'debug' }, readiness);
  return { app: service.app, lines };
}

async function json(answer: Response): Promise<Record<string, unknown>> {
  return Body.parse(await answer.json());
}

describe('routes', () => {
  test('GET /health says ok, the version and the uptime, whatever is missing', async () => {
    const answer = await create([() => FAULT]).app.request('/health');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('cache-control'), 'no-store');
    const { uptime, ...rest } = await json(answer);
    assert.deepEqual(rest, { status: 'ok', version: '0.0.0-dev' });
    assert.ok(typeof uptime === 'number' && uptime > 0);
  });

  const ready: readonly [string, readonly ReadinessCheck[], number, object][] = [
    ['nothing missing', [() => undefined], 200, { status: 'ready' }],
    [
      'two checks fail',
      [() => FAULT, async () => FAULT],
      503,
      { status: 'not ready', missing: [FAULT, FAULT] },
    ],
  ];
  for (const [name, checks, status, body] of ready) {
    test(`GET /ready: ${name}`, async () => {
      const answer = await create(checks).app.request('/ready');
      assert.equal(answer.status, status);
      assert.deepEqual(await json(answer), body);
    });
  }

  test('HEAD /health has no body', async () => {
    const answer = await create().app.request('/health', { method: 'HEAD' });
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), '');
  });

  test('GET / links to routes that exist', async () => {
    const { app } = create();
    const { links } = await json(await app.request('/'));
    for (const link of Object.values(Body.parse(links))) {
      assert.equal((await app.request(String(link))).status, 200, String(link));
    }
  });

  test('GET /openapi.json is OpenAPI 3.1 and has every route', async () => {
    const { app } = create();
    const { openapi, paths } = await json(await app.request('/openapi.json'));
    assert.equal(openapi, '3.1.0');
    const routes = app.routes.filter(({ method }) => method !== 'ALL').map(({ path }) => path);
    const described = routes.map((path) => path.replace(/:(\w+)({.+})?/g, '{$1}'));
    const expected = new Set(described.filter((path) => !NOT_API.includes(path)));
    assert.deepEqual(Object.keys(Body.parse(paths)).sort(), [...expected].sort());
  });
});

describe('errors have the shape that OpenAI clients read', () => {
  const thrown = (): never => {
    throw new Error('inner detail');
  };
  const refused = (): never => {
    throw new HTTPException(413, { message: 'Too large.' });
  };
  const cases: readonly [string, string, number, object][] = [
    [
      'POST',
      '/nowhere?key=x',
      404,
      { message: 'Unknown request URL: POST /nowhere.', type: 'invalid_request_error', code: 'unknown_url' },
    ],
    [
      'GET',
      '/thrown',
      500,
      {
        message: 'The server had an error. Its log has more under request id id-1.',
        type: 'server_error',
        code: 'internal_error',
      },
    ],
    [
      'GET',
      '/refused',
      413,
      { message: 'Too large.', type: 'invalid_request_error', code: 'invalid_request' },
    ],
  ];
  for (const [method, path, status, error] of cases) {
    test(`${status}`, async () => {
      const { app, lines } = create();
      app.get('/thrown', thrown);
      app.get('/refused', refused);
      const answer = await app.request(path, { method, headers: { 'x-request-id': 'id-1' } });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('x-request-id'), 'id-1');
      assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
      assert.deepEqual(await json(answer), { error: { ...error, param: null } });
      const bug = lines.find((line) => line.level === 'error');
      assert.equal(bug === undefined, status !== 500);
      if (bug !== undefined) {
        assert.equal(bug.requestId, 'id-1');
        assert.equal(Body.parse(bug.err).message, 'inner detail');
      }
    });
  }
});

describe('a method that a path is not there for is answered 405, and told which are', () => {
  const cases: readonly [string, string, string][] = [
    ['DELETE', '/health', 'GET, HEAD'],
    ['GET', '/v1/chat/completions', 'POST'],
    ['PUT', '/v1/models/openai/gpt-4o', 'GET, HEAD'],
    ['DELETE', '/', 'GET, HEAD'],
  ];
  for (const [method, path, allow] of cases) {
    test(`${method} ${path}`, async () => {
      const answer = await create().app.request(path, { method });
      assert.equal(answer.status, 405);
      assert.equal(answer.headers.get('allow'), allow);
      assert.deepEqual(await json(answer), {
        error: {
          message: `${path} is not there for ${method}, but for ${allow}.`,
          type: 'invalid_request_error',
          param: null,
          code: 'method_not_allowed',
        },
      });
    });
  }
});

describe('request id', () => {
  const cases: readonly [string, string, boolean][] = [
    ['a sane one is kept', 'trace-1_a=', true],
    ['the longest is kept', 'a'.repeat(128), true],
    ['one too long is replaced', 'a'.repeat(129), false],
    ['one with a space is replaced', 'a b', false],
    ['one with quotes is replaced', '"><script>', false],
  ];
  for (const [name, given, kept] of cases) {
    test(name, async () => {
      const { app } = create();
      const answer = await app.request('/health', { headers: { 'x-request-id': given } });
      const id = answer.headers.get('x-request-id') ?? '';
      assert.equal(id === given, kept);
      assert.match(id, /^[\w=-]+$/);
    });
  }

  test('without one, each request gets its own', async () => {
    const { app } = create();
    const ids = await Promise.all([app.request('/'), app.request('/')]);
    assert.equal(new Set(ids.map((answer) => answer.headers.get('x-request-id'))).size, 2);
  });
});

test('security headers are on every answer, and nothing promises HTTPS or names the software', async () => {
  for (const path of ['/console/console.js', '/health', '/ready', '/openapi.json', '/nowhere']) {
    const { headers } = await create().app.request(path);
    assert.equal(headers.get('content-security-policy'), "default-src 'none'; frame-ancestors 'none'", path);
    assert.equal(headers.get('x-frame-options'), 'DENY');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    for (const absent of ['strict-transport-security', 'x-powered-by', 'access-control-allow-origin']) {
      assert.equal(headers.get(absent), null, absent);
    }
  }
});

test('a request is logged without query and headers; health checks at debug', async () => {
  const { app, lines } = create();
  const headers = { 'x-request-id': 'id-1', authorization: 'Bearer planted' };
  await app.request('/nowhere?key=planted', { method: 'POST', headers });
  await app.request('/health', { headers });
  await app.request('/ready', { headers });
  assert.deepEqual(
    lines.map(({ ms, time, ...line }) => {
      assert.equal(typeof ms, 'number');
      assert.equal(typeof time, 'string');
      return line;
    }),
    [
      { level: 'info', requestId: 'id-1', method: 'POST', path: '/nowhere', status: 404, msg: 'request' },
      { level: 'debug', requestId: 'id-1', method: 'GET', path: '/health', status: 200, msg: 'request' },
      { level: 'debug', requestId: 'id-1', method: 'GET', path: '/ready', status: 200, msg: 'request' },
    ],
  );
});
