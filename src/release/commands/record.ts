import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { readIfThere } from '../machine/file.ts';

/**
 * Reads a JSON file that an earlier stage of the release left; `undefined` where there is none.
 *
 * @throws ReleaseError PLAN_INVALID where it has another form
 */
export async function readRecord<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined> {
  const text = (await readIfThere(path))?.toString();
  if (text === undefined) return undefined;
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is not JSON';
    throw new ReleaseError(
      'PLAN_INVALID',
      `${path} has a form that this version does not know.`,
      'Run the stage that writes it again.',
      why.split('\n'),
      cause,
    );
  }
}
