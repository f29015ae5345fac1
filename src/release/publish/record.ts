import { z } from 'zod';
import type { ReleaseError } from '../errors.ts';

/**
 * Reads what an earlier step wrote down as JSON.
 *
 * @param fault the error for a text of another form, with the reasons
 * @throws ReleaseError that `fault` makes
 */
export function parseRecord<T>(
  text: string,
  schema: z.ZodType<T>,
  fault: (why: string[], cause: unknown) => ReleaseError,
): T {
  try {
    return schema.parse(JSON.parse(text));
  } catch (cause) {
    const why = cause instanceof z.ZodError ? z.prettifyError(cause) : 'it is not JSON';
    throw fault(why.split('\n'), cause);
  }
}
