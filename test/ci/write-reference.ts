/** Writes the tables of docs/DAGGER.md from the module: node --import tsx test/ci/write-reference.ts */
import { readFile, writeFile } from 'node:fs/promises';
import { LoadedModule } from './module.ts';
import { readReference, referenceTables } from './reference.ts';

const FILE = new URL('../../docs/DAGGER.md', import.meta.url);

const module = new LoadedModule();
await module.start();
const tables = referenceTables(readReference(await module.register()));
await module.stop();
const document = await readFile(FILE, 'utf8');
await writeFile(
  FILE,
  document.replace(
    /(<!-- generated[^>]*-->)[\s\S]*(<!-- end -->)/,
    (_, head, tail) => `${head}\n${tables}\n${tail}`,
  ),
);
