import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import type { Tokens } from '../../../src/server/usage/meter.ts';
import { nanosOf } from '../../../src/server/usage/money.ts';
import { PRICE_LIST } from '../../../src/server/usage/price-list.ts';
import { costOf, Prices, readPrices } from '../../../src/server/usage/prices.ts';
import { dataDirectory } from '../data.ts';

describe('a price is that of the model, and of its revisions', () => {
  const prices = new Prices();
  const cases: readonly [string, string | undefined][] = [
    ['openai/gpt-4o', 'openai/gpt-4o'],
    ['openai/gpt-4o-2024-11-20', 'openai/gpt-4o'],
    ['openai/gpt-4o-2024-05-13', 'openai/gpt-4o-2024-05-13'],
    ['openai/gpt-4o-mini-2024-07-18', 'openai/gpt-4o-mini'],
    ['openai/gpt-4-0613', 'openai/gpt-4'],
    ['openai/gpt-5-chat-latest', 'openai/gpt-5-chat'],
    ['anthropic/claude-haiku-4-5-20251001', 'anthropic/claude-haiku-4-5'],
    ['anthropic/claude-opus-4-20250514', 'anthropic/claude-opus-4'],
    ['anthropic/claude-opus-4-5@20251101', 'anthropic/claude-opus-4-5'],
    ['google/gemini-2.5-flash-preview-09-2025', 'google/gemini-2.5-flash'],
    ['openai/gpt-4o-audio-preview', undefined],
    ['openai/gpt-7', undefined],
    ['anthropic/claude-opus-4-99', 'anthropic/claude-opus-4'],
    ['google/gemini-2.5-pro-preview-tts', undefined],
    ['google/gpt-4o', undefined],
    ['gpt-4o', undefined],
    ['openai/', undefined],
    ['openai/constructor', undefined],
    ['constructor', undefined],
  ];
  for (const [model, expected] of cases) {
    test(model, () => {
      const price = expected === undefined ? undefined : PRICE_LIST[expected];
      assert.equal(prices.of(model), price);
      assert.equal(prices.of(model), price, 'asked again');
    });
  }
});

describe('what tokens cost', () => {
  const cases: readonly [string, string, Tokens, number][] = [
    ['a million of input and output', 'openai/gpt-4o', { input: 1e6, output: 1e6 }, 12.5],
    ['ten of an embedding', 'openai/text-embedding-3-small', { input: 10, output: 0 }, 0.000_000_2],
    ['half of it cached', 'openai/gpt-4o', { input: 1e6, output: 0, cachedInput: 5e5 }, 1.875],
    ['more cached than there is', 'openai/gpt-4o', { input: 1e6, output: 0, cachedInput: 2e6 }, 1.25],
    ['cached, at no price of its own', 'openai/gpt-4', { input: 1e6, output: 0, cachedInput: 1e6 }, 30],
    ['a long prompt', 'google/gemini-2.5-pro', { input: 200_001, output: 1000 }, 0.515_002_5],
    ['the longest that is not', 'google/gemini-2.5-pro', { input: 200_000, output: 1000 }, 0.26],
    ['nothing', 'openai/gpt-4o', { input: 0, output: 0 }, 0],
  ];
  for (const [name, model, tokens, dollars] of cases) {
    test(name, () => {
      const price = new Prices().of(model);
      assert.ok(price !== undefined);
      assert.equal(costOf(price, tokens), nanosOf(dollars));
    });
  }
});

describe('a file of prices', () => {
  const folder = dataDirectory();
  const file = (text: string) => {
    const path = join(folder, 'prices.json');
    writeFileSync(path, text);
    return path;
  };

  test('comes before the list', () => {
    const own = readPrices(
      file('{"openai/gpt-4o":{"input":1,"output":2},"openai/my":{"input":0,"output":0}}'),
    );
    assert.ok(typeof own === 'object');
    const prices = new Prices(own);
    assert.equal(prices.of('openai/gpt-4o')?.input, 1);
    assert.equal(prices.of('openai/my')?.input, 0);
    assert.equal(prices.of('openai/gpt-4.1')?.input, 2);
  });

  const wrong: readonly [string, string, RegExp][] = [
    ['no JSON', '{', /is no JSON/],
    ['a list', '[]', /at the top/],
    ['a model without its provider', '{"gpt-4o":{"input":1,"output":2}}', /at gpt-4o/],
    ['a negative price', '{"openai/x":{"input":-1,"output":2}}', /at openai\/x\.input/],
    ['a price as text', '{"openai/x":{"input":"1","output":2}}', /at openai\/x\.input/],
    ['a word too much', '{"openai/x":{"input":1,"output":2,"inptu":1}}', /at openai\/x/],
  ];
  for (const [name, text, problem] of wrong) {
    test(`is refused: ${name}`, () => assert.match(String(readPrices(file(text))), problem));
  }
  test('is refused: not there', () => assert.match(String(readPrices(join(folder, 'none'))), /ENOENT/));
});

test('no price of the list is missing a number or twice the usual', () => {
  for (const [model, price] of Object.entries(PRICE_LIST)) {
    assert.match(model, /^(openai|anthropic|google)\/[a-z0-9.-]+$/);
    assert.ok(price.input > 0 && price.output >= 0 && price.output < 1000, model);
    if (price.cached_input !== undefined) assert.ok(price.cached_input < price.input, model);
    if (price.long !== undefined) assert.ok(price.long.input > price.input, model);
  }
});
