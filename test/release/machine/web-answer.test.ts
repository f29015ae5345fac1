import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { quote, waitOf } from '../../../src/release/machine/web-answer.ts';

const NOW = Date.parse('2026-01-02T03:04:05Z');
const headersOf = (values: Readonly<Record<string, string>>) => ({
  get: (name: string) => values[name] ?? null,
});

describe('how long a service asks to wait', () => {
  const at = String(NOW / 1_000 + 90);
  const CASES: readonly (readonly [string, Readonly<Record<string, string>>, number])[] = [
    ['seconds', { 'retry-after': '12' }, 12_000],
    ['a date', { 'retry-after': 'Fri, 02 Jan 2026 03:05:05 GMT' }, 60_000],
    ['a date that has passed', { 'retry-after': 'Fri, 02 Jan 2026 03:00:00 GMT' }, 0],
    ["Docker Hub's unix time", { 'x-retry-after': at }, 90_000],
    ['until its limit is new', { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': at }, 90_000],
    ['nothing, while its limit has room', { 'x-ratelimit-remaining': '9', 'x-ratelimit-reset': at }, 60_000],
    ['nothing at all', {}, 60_000],
    ['nonsense', { 'retry-after': 'soon', 'x-retry-after': 'later' }, 60_000],
  ];
  for (const [name, headers, ms] of CASES) {
    test(name, () => assert.equal(waitOf(headersOf(headers), NOW), ms));
  }
});

describe('what a service said', () => {
  const CASES: readonly (readonly [string, string, string])[] = [
    ['a message', '{"message":"not found","errinfo":{}}', '422 not found'],
    [
      'a message with errors',
      '{"message":"Validation Failed","errors":[{"resource":"Release","code":"already_exists"},"and more"]}',
      '422 Validation Failed; Release already_exists; and more',
    ],
    ['another form', '<html>\n  no </html>', '422 <html> no </html>'],
    ['nothing', '', '422'],
    ['more than anybody reads', 'x'.repeat(1_000), `422 ${'x'.repeat(300)}`],
  ];
  for (const [name, text, said] of CASES) {
    test(name, () => assert.equal(quote({ status: 422, headers: headersOf({}), text }), said));
  }
});
