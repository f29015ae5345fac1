import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readModelName } from '../../../src/server/providers/model-name.ts';

const cases: readonly [string, string | undefined][] = [
  ['openai/gpt-4o', 'openai: gpt-4o'],
  ['openai/ft:gpt-4o:org::id', 'openai: ft:gpt-4o:org::id'],
  ['openai/meta-llama/Llama-3-8B', 'openai: meta-llama/Llama-3-8B'],
  ['anthropic/claude-sonnet-4-5', 'anthropic: claude-sonnet-4-5'],
  ['google/gemini-2.5-flash', 'google: gemini-2.5-flash'],
  ['google/tunedModels/mine', 'google: tunedModels/mine'],
  ['gpt-4o', 'openai: gpt-4o'],
  ['chatgpt-4o-latest', 'openai: chatgpt-4o-latest'],
  ['o3-mini', 'openai: o3-mini'],
  ['text-embedding-3-small', 'openai: text-embedding-3-small'],
  ['claude-opus-4-1', 'anthropic: claude-opus-4-1'],
  ['gemini-embedding-001', 'google: gemini-embedding-001'],
  ['text-embedding-004', 'google: text-embedding-004'],
  ['llama-3', undefined],
  ['mistral/large', undefined],
  ['openai', undefined],
  ['openai/', undefined],
  ['/gpt-4o', undefined],
  ['google/../files', undefined],
  ['google/models/../../files', undefined],
  ['google/a//b', undefined],
  ['google/a b', undefined],
  ['google/é', undefined],
  [`openai/${'a'.repeat(201)}`, undefined],
  ['', undefined],
];
for (const [name, expected] of cases) {
  test(`${name.slice(0, 40)}: ${expected ?? 'none'}`, () => {
    const target = readModelName(name);
    assert.equal(target && `${target.provider}: ${target.model}`, expected);
  });
}
