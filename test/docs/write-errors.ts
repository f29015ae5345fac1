/** Writes docs/ERRORS.md anew: node --import tsx test/docs/write-errors.ts */
import { writeFile } from 'node:fs/promises';
import { errorsPage } from './errors-page.ts';

await writeFile(new URL('../../docs/ERRORS.md', import.meta.url), errorsPage());
