import type { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { readIfThere } from '../machine/file.ts';
import { parseRecord } from '../publish/record.ts';

/**
 * Reads a JSON file that an earlier stage of the release left; `undefined` where there is none.
 *
 * @throws ReleaseError PLAN_INVALID where it has another form
 */
export async function readRecord<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = (await readIfThere(path))?.toString();
  if (text === undefined) return undefined;
  const message = `${path} has a form that this version does not know.`;
  return parseRecord(text, schema, (why, cause) => {
    return new ReleaseError('PLAN_INVALID', message, 'Run the stage that writes it again.', why, cause);
  });
}
