import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ApiDocument, apiPage } from '../../../src/server/http/docs/page.ts';
import { objectsIn, type Schema, typeText } from '../../../src/server/http/docs/schema-text.ts';
import { assemble } from '../running.ts';

test('/docs shows every operation of /openapi.json, loads nothing from elsewhere and runs no script', async () => {
  const { app } = assemble().service;
  const answer = await app.request('/docs');
  const text = await answer.text();
  assert.match(answer.headers.get('content-type') ?? '', /^text\/html/);
  assert.match(answer.headers.get('content-security-policy') ?? '', /^default-src 'none'; style-src 'self';/);
  assert.doesNotMatch(text, /<script|javascript:|(src|href)="(https?:|\/\/)|style=|<img/i);
  const { paths } = (await (await app.request('/openapi.json')).json()) as { paths: Record<string, object> };
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      assert.ok(text.includes(`<b>${method.toUpperCase()}</b> <code>${path}</code>`), `${method} ${path}`);
    }
  }
  const links = [...text.matchAll(/(?:href|id)="(#?)([^"]+)"/g)];
  const ids = new Set(links.filter(([whole]) => whole.startsWith('id')).map((link) => link[2]));
  for (const [, hash, target] of links) if (hash === '#') assert.ok(ids.has(target), target);
  const style = await app.request('/docs/style.css');
  assert.match(style.headers.get('content-type') ?? '', /^text\/css/);
});

test('what stands in a description is text and no HTML', async () => {
  const document: ApiDocument = {
    info: { title: '<b>T</b>', version: '1' },
    paths: {
      '/a': { get: { summary: '<script>alert(1)</script>', responses: { 200: { description: '"&\'' } } } },
    },
    schemas: { 'A"><q>': { properties: { '<i>': { description: '<u>' } } } },
  };
  const text = await apiPage(document);
  for (const tag of ['<script>', '<b>T', '<u>', '<q>']) assert.equal(text.includes(tag), false, tag);
  assert.match(text, /&lt;script&gt;alert\(1\)/);
});

describe('what a value is', () => {
  const cases: readonly [Schema, string][] = [
    [{ type: 'string' }, 'string'],
    [{ type: ['string', 'null'] }, 'string'],
    [{ type: 'null' }, 'null'],
    [{}, 'any'],
    [{ type: 'array', items: { type: 'integer', minimum: 1 } }, 'list of integer from 1'],
    [{ type: 'number', minimum: 0, maximum: 2 }, 'number from 0 to 2'],
    [{ enum: ['a', 'b'] }, '"a" | "b"'],
    [{ const: 'a' }, '"a"'],
    [{ $ref: '#/components/schemas/Model' }, 'Model'],
    [
      { anyOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }] },
      'string or list of string',
    ],
    [{ oneOf: [{ type: 'object' }, { type: 'object' }] }, 'object'],
    [{ allOf: [{ $ref: '#/A' }, { type: 'object' }] }, 'A and object'],
  ];
  for (const [schema, expected] of cases) test(expected, () => assert.equal(typeText(schema), expected));

  test('its members are those of all objects in it', () => {
    const a = { properties: { a: {} } };
    const b = { properties: { b: {} } };
    assert.deepEqual(objectsIn({ anyOf: [{ type: 'string' }, { items: { oneOf: [a, b] } }] }), [a, b]);
  });
});
