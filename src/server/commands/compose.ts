import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

// Put in place of this name by bundle.mjs. Run from source there is nothing in its place.
declare const THOTH_COMPOSE: string | undefined;

/** The text of the project's docker-compose.yml. */
export function composeText(): string {
  if (typeof THOTH_COMPOSE === 'string') return THOTH_COMPOSE;
  const program = process.argv[1] ?? ''; // src/server/main.ts
  return readFileSync(resolve(dirname(program), '../../docker-compose.yml'), 'utf8');
}
