import { readdir, readFile } from 'node:fs/promises';

/**
 * Megabytes a process and its children hold in memory (proc_pid_status(5)).
 *
 * @param which all of it, or what stands in no file
 */
export async function memory(root: number, which: 'VmRSS' | 'RssAnon' = 'VmRSS'): Promise<number> {
  const all = await Promise.all(
    (await readdir('/proc'))
      .filter((name) => /^\d+$/.test(name))
      .map(async (name) => {
        const text = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
        const field = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
        return { pid: Number(name), parent: field('PPid'), rss: field(which) / 1_024 };
      }),
  );
  const sum = (pid: number): number =>
    (all.find((one) => one.pid === pid)?.rss ?? 0) +
    all.filter((one) => one.parent === pid).reduce((total, child) => total + sum(child.pid), 0);
  return sum(root);
}
