import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Puts shell scripts on the PATH in place of real programs while `work` runs: nothing else is to be found
 * there, so that a machine which has more programs gives the same result.
 *
 * @param programs name to the body of the script
 */
export async function withPrograms<T>(
  programs: Readonly<Record<string, string>>,
  work: (dir: string) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), 'thoth-programs-'));
  const path = process.env.PATH;
  try {
    for (const [name, body] of Object.entries(programs)) {
      await writeFile(join(dir, name), `#!/bin/sh\n${body}\n`);
      await chmod(join(dir, name), 0o755);
    }
    process.env.PATH = dir;
    return await work(dir);
  } finally {
    process.env.PATH = path;
    await rm(dir, { recursive: true, force: true });
  }
}
