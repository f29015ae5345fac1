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

/** As many programs or requests as a machine and a registry do well at a time. */
const AT_ONCE = 4;

/**
 * Does work for each item, four at a time or as many as are said, and gives what came of it in the order of the items.
 * Like {@link together} it throws the first failure only when no work is under way any more; what was not begun then
 * is not.
 */
export async function each<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
  atOnce = AT_ONCE,
): Promise<R[]> {
  const results: R[] = [];
  const waiting = [...items.entries()].reverse();
  const lane = async () => {
    for (let taken = waiting.pop(); taken !== undefined; taken = waiting.pop()) {
      const [place, item] = taken;
      try {
        results[place] = await work(item);
      } catch (error) {
        waiting.length = 0;
        throw error;
      }
    }
  };
  await together(Array.from({ length: Math.min(atOnce, items.length) }, lane));
  return results;
}
