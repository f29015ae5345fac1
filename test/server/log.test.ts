import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLogger } from '../../src/server/log.ts';
import { readSettings } from '../../src/server/settings/read.ts';

const KEY = 'sk-planted-0123456789';

/** Logs `thing` and returns the text that came out. */
function logged(thing: object, message = 'text', level = 'info'): string {
  let text = '';
  const settings = readSettings({ OPENAI_API_KEY: KEY, LOG_LEVEL: level });
  const destination = {
    write: (line: string) => {
      text += line;
    },
  };
  createLogger(settings, destination).info(thing, message);
  return text;
}

test('a line is one JSON object with level, time and message', () => {
  const text = logged({ path: '/x\n"' });
  assert.equal(text.indexOf('\n'), text.length - 1);
  const { time, ...rest } = JSON.parse(text) as Record<string, unknown>;
  assert.deepEqual(rest, { level: 'info', path: '/x\n"', msg: 'text' });
  assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
});

test('a line below the level is not written', () => {
  assert.equal(logged({}, 'text', 'WARN'), '');
});

const other = 'other-planted-value';
const cyclic: Record<string, unknown> = { authorization: other };
cyclic.self = cyclic;
const hidden: readonly [string, object][] = [
  ['a name at the top', { authorization: other }],
  ['a name in another case, further down', { request: { headers: { 'X-API-Key': other } } }],
  ['a name inside a list', { tries: [{ headers: { Authorization: other } }] }],
  [
    "an error's own properties",
    { err: Object.assign(new Error('x'), { config: { headers: { cookie: other } } }) },
  ],
  ['an object that holds itself', cyclic],
  ['the value of a secret setting in a text', { note: `the key ${KEY} is wrong` }],
  ["the value of a secret setting in an error's message", { err: new Error(`Incorrect API key: ${KEY}`) }],
  ['a secret setting itself', readSettings({ OPENAI_API_KEY: KEY })],
];
for (const [name, thing] of hidden) {
  test(`kept out: ${name}`, () => {
    const text = logged(thing);
    assert.ok(!text.includes(KEY) && !text.includes(other), text);
    assert.match(text, /\[(redacted|secret)\]/);
    JSON.parse(text);
  });
}

test('the object that is logged is not changed', () => {
  const thing = { headers: { authorization: other, accept: 'a' } };
  assert.match(logged(thing), /"accept":"a"/);
  assert.deepEqual(thing, { headers: { authorization: other, accept: 'a' } });
});
