/**
 * Like `Promise.all`, but every piece of work has ended before the first failure is thrown: so nothing still
 * writes into a folder that the caller removes next.
 */
export async function together<T extends readonly unknown[] | []>(
  work: T,
): Promise<{ -readonly [Key in keyof T]: Awaited<T[Key]> }> {
  await Promise.allSettled(work);
  return Promise.all(work);
}
