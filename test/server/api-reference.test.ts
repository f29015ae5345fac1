import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SETTING_NAMES } from '../../src/server/settings/schema.ts';
import { apiReference } from './api-reference.ts';

const SOURCES = fileURLToPath(new URL('../../src/server', import.meta.url));

test('the tables of docs/API.md are what the code says', async () => {
  const { stored, expected } = await apiReference();
  assert.equal(stored, expected, 'run: node --import tsx test/server/api-reference.ts');
});

test('it names every code of an error, and no setting that there is not', async () => {
  const { stored } = await apiReference();
  const files = readdirSync(SOURCES, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  const codes = files.flatMap((path) =>
    [...readFileSync(join(SOURCES, path), 'utf8').matchAll(/\bcode: '([a-z_]+)'/g)].map(([, code]) => code),
  );
  // Nobody is there to read that one.
  const unnamed = new Set(codes.filter((code) => code !== 'client_left' && !stored.includes(`\`${code}\``)));
  assert.deepEqual([...unnamed], []);
  const words = [...stored.matchAll(/\b[A-Z]+(?:_[A-Z]+)+\b/g)].map(([word]) => word);
  const settings: readonly string[] = SETTING_NAMES;
  assert.deepEqual(
    words.filter((word) => !settings.includes(word)),
    [],
  );
});
