/** Writes the table of docs/OWN-IMAGE.md from the schema: node --import tsx test/release/config/write-reference.ts */
import { readFile, writeFile } from 'node:fs/promises';
import { referenceTable, TABLE } from './reference.ts';

const FILE = new URL('../../../docs/OWN-IMAGE.md', import.meta.url);

const document = await readFile(FILE, 'utf8');
await writeFile(
  FILE,
  document.replace(TABLE, (_, begin, end) => `${begin}${referenceTable()}${end}`),
);
