/** Writes docs/thoth.postman_collection.json from the routes: tools/node.sh --import tsx test/server/write-postman.ts */
import { writeFileSync } from 'node:fs';
import { postmanCollection } from './postman.ts';
import { assemble } from './running.ts';

const { service } = assemble();
const description = (await (await service.app.request('/openapi.json')).json()) as object;
await service.close();
const file = new URL('../../docs/thoth.postman_collection.json', import.meta.url);
writeFileSync(file, await postmanCollection(description));
process.exit(0);
