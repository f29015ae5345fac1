import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { JsonMembers } from '../../../src/server/providers/json-members.ts';
import { NotAnObject } from '../../../src/server/providers/json-scanner.ts';

const of = (text: string) => new JsonMembers(Buffer.from(text));

describe('replacing members', () => {
  const cases: readonly [string, string, Record<string, unknown>, string][] = [
    ['nothing', '{"a":1}', {}, '{"a":1}'],
    ['one', '{ "a" : 1 , "b":2}', { a: 'x' }, '{ "a" : "x" , "b":2}'],
    ['the last', '{"a":{"b":[1,{"c":"}"}]}}', { a: null }, '{"a":null}'],
    ['one that is there twice', '{"a":1,"b":2,"a":3}', { a: 0 }, '{"a":0,"b":2,"a":0}'],
    ['one whose name is written with an escape', '{"\\u0061":1}', { a: 2 }, '{"\\u0061":2}'],
    ['one that is absent', '{ "b":1}', { a: true }, '{"a":true, "b":1}'],
    ['one of the same name further down stays', '{"b":{"a":1}}', { a: 2 }, '{"a":2,"b":{"a":1}}'],
    ['two that are absent, in an empty object', '{ }', { a: 1, b: 2 }, '{"a":1,"b":2 }'],
    [
      'large numbers stay',
      '{"a":1,"seed":12345678901234567890}',
      { a: 2 },
      '{"a":2,"seed":12345678901234567890}',
    ],
    ['a string that ends in backslashes', '{"b":"\\\\","a":"\\"\\\\\\""}', { a: 1 }, '{"b":"\\\\","a":1}'],
  ];
  for (const [name, text, members, expected] of cases) {
    test(name, () => assert.equal(of(text).with(members).toString(), expected));
  }
});

test('of a name that is there twice the last value counts, as for JSON.parse', () => {
  const text = '{"model":"a","model":"b"}';
  assert.equal(of(text).get('model'), (JSON.parse(text) as { model: string }).model);
});

test('any object: members are those of JSON.parse, and a replaced one is all that changes', () => {
  const objects = fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1, maxKeys: 8 });
  const spaces = fc.constantFrom(undefined, 1, '\t', '\r\n ');
  fc.assert(
    fc.property(objects, spaces, fc.jsonValue(), (object, space, value) => {
      const text = JSON.stringify(object, null, space);
      const parsed = JSON.parse(text) as Record<string, unknown>;
      const members = of(text);
      for (const [name, expected] of Object.entries(parsed)) assert.deepEqual(members.get(name), expected);
      const [name = ''] = Object.keys(parsed);
      const changed: unknown = JSON.parse(members.with({ [name]: value }).toString());
      assert.deepEqual(changed, { ...parsed, [name]: JSON.parse(JSON.stringify(value)) as unknown });
    }),
  );
});

describe('what is no JSON object', () => {
  const cases = [
    '',
    ' ',
    'null',
    '[]',
    '"a"',
    '{',
    '{}}',
    '{} {}',
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    '{"a":1 "b":2}',
    '{a:1}',
    '{"a":[}',
    '{"a":[1}',
    '{"a":"',
    '{"a":"\\"}',
    '{"a":\u00a01}',
    `{"a":${'['.repeat(600)}${']'.repeat(600)}}`,
  ];
  for (const text of cases) {
    test(JSON.stringify(text.slice(0, 20)), () => assert.throws(() => of(text), NotAnObject));
  }

  test('what JSON.parse takes is taken, and nothing else than NotAnObject is thrown', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]":,\\ a1n') }), (inner) => {
        const text = `{${inner}}`;
        if (refuses(() => JSON.parse(text), SyntaxError)) refuses(() => of(text), NotAnObject);
        else of(text);
      }),
    );
  });

  test('a member that is broken inside is found when it is read', () => {
    assert.throws(() => of('{"a":[1 2]}').get('a'), NotAnObject);
    assert.throws(() => of('{"a":nulll}').parse(), NotAnObject);
  });
});

/** Whether `work` throws an error of this class; any other passes. */
function refuses(work: () => unknown, kind: new (...args: never[]) => Error): boolean {
  try {
    work();
    return false;
  } catch (error) {
    if (error instanceof kind) return true;
    throw error;
  }
}

describe('images, files and recordings', () => {
  const base64 = 'A/+='.repeat(1300);

  const kinds: readonly [string, string, number][] = [
    ['base64', base64, 1],
    ['a data URL', `data:image/png;base64,${base64}`, 1],
    ['base64 of a URL', base64.replaceAll('/', '_').replaceAll('+', '-'), 1],
    ['language', 'some words '.repeat(500), 0],
    ['language without spaces', '日本語'.repeat(500), 0],
    ['arguments of a call', JSON.stringify({ file: base64 }), 0],
    ['a long word', 'a'.repeat(4000), 0],
  ];
  for (const [name, text, count] of kinds) {
    test(`${name}: ${count}`, () => {
      const members = of(JSON.stringify({ a: text, b: [text] }));
      assert.equal(members.mediaCount, 2 * count);
      assert.equal(members.mediaBytes > 0, count > 0);
      assert.deepEqual(JSON.parse(members.restore(JSON.stringify(members.parse())).toString()), {
        a: text,
        b: [text],
      });
    });
  }

  test('are marks in what is parsed, with what is in front of them, and come back byte for byte', () => {
    const escaped = base64.replaceAll('/', '\\/');
    const members = of(`{"url":"data:image\\/png;base64,${escaped}"}`);
    const { url } = members.parse() as { url: string };
    assert.match(url, /^data:image\/png;base64,media-[\w-]+;$/);
    const [, mark] = url.split(',');
    assert.equal(
      members.restore(JSON.stringify({ data: mark, again: mark })).toString(),
      `{"data":"${escaped}","again":"${escaped}"}`,
    );
  });

  test('a mark is another one each time', () => {
    const text = JSON.stringify({ a: base64 });
    assert.notDeepEqual(of(text).parse(), of(text).parse());
  });
});
