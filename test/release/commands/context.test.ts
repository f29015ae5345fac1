import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createContext } from '../../../src/release/commands/context.ts';

test('tokens are read, and are in no environment that a scanner or an engine gets', () => {
  const env: NodeJS.ProcessEnv = {
    PATH: '/bin',
    GITHUB_TOKEN: 'one',
    DOCKERHUB_TOKEN: 'two',
    THOTH_REGISTRY: 'a.example',
  };
  const { settings } = createContext({}, env, new AbortController().signal);
  assert.deepEqual([settings.githubToken, settings.hubToken], ['one', 'two']);
  assert.deepEqual(env, { PATH: '/bin', THOTH_REGISTRY: 'a.example' });
});
