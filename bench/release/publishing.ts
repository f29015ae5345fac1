import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Layout } from '../../src/release/image/layout.ts';
import { formatPlan, movesTo } from '../../src/release/publish/plan.ts';
import { type EmbeddedRegistry, startEmbedded } from '../../src/release/registry/embedded.ts';
import { bundlePublish } from '../../test/release/publish/kill.ts';
import { planFor, repositoryAt } from '../../test/release/publish/release-fixture.ts';
import { type Measured, measure } from '../measure.ts';

/** An embedded registry, and publishes to it, each in a process of its own as thoth-release is one. */
export class Publishing {
  readonly dir: string;
  readonly #embedded: EmbeddedRegistry;

  private constructor(dir: string, embedded: EmbeddedRegistry) {
    this.dir = dir;
    this.#embedded = embedded;
  }

  static async open(below: string): Promise<Publishing> {
    const dir = await mkdtemp(join(below, 'publishing-'));
    await bundlePublish(join(dir, 'publish.mjs'));
    return new Publishing(dir, await startEmbedded(dir));
  }

  async close(): Promise<void> {
    await this.#embedded.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  get host(): string {
    return this.#embedded.host;
  }

  /**
   * Plans the release of a layout as v1.0.0.
   *
   * @param more tags besides those of the version
   * @returns what applies the plan, as often as it is called
   */
  async planned(
    repository: string,
    layout: Layout,
    more: readonly string[] = [],
  ): Promise<() => Promise<Measured>> {
    const registry = await repositoryAt(this.host, repository);
    const plan = await planFor(registry, 'v1.0.0', layout);
    const moves = [...plan.moves, ...movesTo(layout.index.digest, more, new Map())];
    const dir = await mkdtemp(join(this.dir, 'run-'));
    const path = join(dir, 'plan.json');
    await writeFile(path, formatPlan({ ...plan, moves }));
    const work = { host: this.host, repository, plan: path, layout: layout.dir, dir };
    return () => measure(process.execPath, [join(this.dir, 'publish.mjs'), JSON.stringify(work)]);
  }
}
