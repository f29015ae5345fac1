import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Planned } from '../../../src/release/publish/attachments.ts';
import type { Notary } from '../../../src/release/publish/attest.ts';
import type { Attestation } from '../../../src/release/publish/publish.ts';

const PLANNED = 'planned.json';
const PlannedFile = z.array(
  z.object({ name: z.string(), subject: z.string(), type: z.string(), statement: z.string() }),
);

/**
 * Stands for cosign where hundreds of runs attach what cosign signed once: those bundles hold, to the byte, and no
 * other does. It signs nothing: what was signed is not to be signed again.
 */
export class KnownBundles implements Notary {
  readonly #bundles: ReadonlySet<string>;

  private constructor(bundles: ReadonlySet<string>) {
    this.#bundles = bundles;
  }

  /** Writes down what is planned beside what was signed of it. */
  static async keep(folder: string, planned: readonly Planned[]): Promise<void> {
    await writeFile(join(folder, PLANNED), JSON.stringify(planned));
  }

  /** @param folder what `keep` was given: the one a run that signed has kept its bundles in */
  static async attestation(folder: string): Promise<Attestation> {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.sigstore.json'));
    const bundles = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')));
    const planned = PlannedFile.parse(JSON.parse(await readFile(join(folder, PLANNED), 'utf8')));
    return { notary: new KnownBundles(new Set(bundles)), planned, kept: folder };
  }

  async verify(bundle: string): Promise<string | undefined> {
    return this.#bundles.has(bundle) ? undefined : 'it is none that was signed';
  }

  sign(): Promise<string> {
    return Promise.reject(new Error('it was signed before'));
  }
}
