// Writes the service's /docs, /docs/style.css and /openapi.json into the site: api-page.ts FOLDER
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { assemble } from '../../test/server/running.ts';

const [folder] = process.argv.slice(2);
if (folder === undefined) throw new Error('Name the folder of the site.');
const { app } = assemble().service;
mkdirSync(join(folder, 'docs'), { recursive: true });
for (const [path, file] of [
  ['/docs', 'docs/index.html'],
  ['/docs/style.css', 'docs/style.css'],
  ['/openapi.json', 'openapi.json'],
] as const) {
  const answer = await app.request(path);
  if (!answer.ok) throw new Error(`${path} is answered ${answer.status}.`);
  writeFileSync(join(folder, file), await answer.text());
}
