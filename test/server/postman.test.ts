import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { postmanCollection } from './postman.ts';
import { assemble } from './running.ts';

const FILE = new URL('../../docs/thoth.postman_collection.json', import.meta.url);
const { service } = assemble();
after(() => service.close());

test('docs/thoth.postman_collection.json is what the routes make', async () => {
  const description = (await (await service.app.request('/openapi.json')).json()) as object;
  const [collection, again] = [await postmanCollection(description), await postmanCollection(description)];
  assert.equal(again, collection, 'nothing in it is random: each request has an example in its route');
  assert.equal(
    readFileSync(FILE, 'utf8'),
    collection,
    'run: tools/node.sh --import tsx test/server/write-postman.ts',
  );
});

test('it has every route of the API, and a place for the key', async () => {
  const text = readFileSync(FILE, 'utf8');
  const { paths } = (await (await service.app.request('/openapi.json')).json()) as { paths: object };
  const names = Object.values(paths as Record<string, Record<string, { summary: string; tags: string[] }>>)
    .flatMap((methods) => Object.values(methods))
    .filter(({ tags }) => !tags.includes('Pages'))
    .map(({ summary }) => summary);
  assert.ok(names.length > 10);
  for (const name of names) assert.ok(text.includes(JSON.stringify(name)), name);
  assert.match(text, /"value": "\{\{bearerToken\}\}"/);
});
