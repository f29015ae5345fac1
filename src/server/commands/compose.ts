import { readFileSync } from 'node:fs';

// Put in place of this name by bundle.mjs. Run from source there is nothing in its place.
declare const THOTH_COMPOSE: string | undefined;

/** The text of the project's docker-compose.yml. */
export function composeText(): string {
  if (typeof THOTH_COMPOSE === 'string') return THOTH_COMPOSE;
  return readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8');
}
