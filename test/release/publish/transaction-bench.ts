import assert from 'node:assert/strict';
import { cp, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Layout } from '../../../src/release/image/layout.ts';
import { formatPlan, type Plan } from '../../../src/release/publish/plan.ts';
import type { LayoutOptions } from '../image/layout-fixture.ts';
import { FaultProxy } from '../registry/proxy.ts';
import { apply, type Bench, makeLayout, openBench, planFor, repositoryAt } from './release-fixture.ts';

const RANGES = ['v1.0', 'v1', 'latest'];
const Manifest = z.object({
  manifests: z.array(z.object({ digest: z.string() })).optional(),
  config: z.object({ digest: z.string() }).optional(),
  layers: z.array(z.object({ digest: z.string() })).optional(),
});

/** A repository that holds v1.0.0, and the plan of v1.0.1 for it. */
export interface Prepared {
  readonly repository: string;
  readonly plan: Plan;
  readonly planPath: string;
  /** Where the journal is. */
  readonly dir: string;
}

/** A registry behind a proxy that fails as a test says, and two versions: `old` is released, `next` is to be. */
export class TransactionBench {
  readonly bench: Bench;
  readonly proxy: FaultProxy;
  /** Of the proxy. */
  readonly host: string;
  readonly old: Layout;
  readonly next: Layout;
  /** Of v1.0.1; what is prepared from then on is to follow it. */
  plan: Plan;
  /** What was looked at and found, over all tests. */
  readonly count = { states: 0, mixed: 0 };

  private constructor(
    bench: Bench,
    proxy: FaultProxy,
    host: string,
    layouts: readonly [Layout, Layout],
    plan: Plan,
  ) {
    this.bench = bench;
    this.proxy = proxy;
    this.host = host;
    [this.old, this.next] = layouts;
    this.plan = plan;
  }

  /** @param options of both images */
  static async open(options: LayoutOptions = {}): Promise<TransactionBench> {
    const bench = await openBench();
    const proxy = new FaultProxy(bench.embedded.host);
    const host = await proxy.start();
    const layouts = [
      await makeLayout(bench, 'v1.0.0', options),
      await makeLayout(bench, 'v1.0.1', options),
    ] as const;
    const template = await repositoryAt(host, 'template');
    const dir = await mkdtemp(join(bench.dir, 'run-'));
    await apply(await planFor(template, 'v1.0.0', layouts[0]), template, dir, layouts[0]);
    const plan = await planFor(template, 'v1.0.1', layouts[1]);
    return new TransactionBench(bench, proxy, host, layouts, plan);
  }

  async close(): Promise<void> {
    await this.proxy.stop();
    await this.bench.close();
  }

  /** Makes a repository in which nothing but v1.0.0 was released, by a copy of its links on the disk. */
  async prepare(repository: string): Promise<Prepared> {
    const store = join(this.bench.dir, 'registry/docker/registry/v2/repositories');
    await cp(join(store, 'template'), join(store, repository), { recursive: true });
    const dir = await mkdtemp(join(this.bench.dir, 'run-'));
    const plan = { ...this.plan, repository };
    const planPath = join(dir, 'plan.json');
    await writeFile(planPath, formatPlan(plan));
    return { repository, plan, planPath, dir };
  }

  /** No range tag is at an image that lacks a part, and `latest` is never ahead of another tag. */
  async assertWhole(repository: string): Promise<void> {
    this.count.states += 1;
    const [old, next] = [this.old.index.digest, this.next.index.digest];
    const tags = await this.tagsOf(repository, RANGES);
    for (const [tag, digest] of tags) {
      const known = digest === old || digest === next;
      const missing = digest === undefined ? ['all'] : await this.#missing(repository, digest);
      if (!known || missing.length > 0) this.count.mixed += 1;
      assert.ok(known, `${tag} is at ${digest}`);
      assert.deepEqual(missing, [], `${tag} is at an image that lacks a part`);
    }
    if (tags.get('latest') === next) assert.ok([...tags.values()].every((digest) => digest === next));
  }

  /** v1.0.1 is released, and v1.0.0 is where it was. */
  async assertReleased(repository: string, when: string): Promise<void> {
    const tags = await this.tagsOf(repository, ['v1.0.1', ...RANGES, 'v1.0.0']);
    const { next, old } = this;
    const expected = [...Array<string>(4).fill(next.index.digest), old.index.digest];
    assert.deepEqual([...tags.values()], expected, `the state ${when}`);
  }

  /** Asks the registry itself, not through regctl, what tags point to. */
  async tagsOf(repository: string, tags: readonly string[]): Promise<Map<string, string | undefined>> {
    const found = new Map<string, string | undefined>();
    for (const tag of tags) {
      const { headers } = await this.#ask(`${repository}/manifests/${tag}`, 'HEAD');
      found.set(tag, headers.get('docker-content-digest') ?? undefined);
    }
    return found;
  }

  /** Blobs that a repository has already, of those of `next` where no others are named. */
  async blobsIn(
    repository: string,
    digests: readonly string[] = this.next.blobs.map(({ digest }) => digest),
  ): Promise<string[]> {
    const there: string[] = [];
    for (const digest of digests) {
      const { status } = await this.#ask(`${repository}/blobs/${digest}`, 'HEAD');
      if (status === 200) there.push(digest);
    }
    return there;
  }

  /** Every part of an image that is not there. */
  async #missing(repository: string, digest: string): Promise<string[]> {
    const response = await this.#ask(`${repository}/manifests/${digest}`);
    if (response.status !== 200) return [digest];
    const { manifests = [], config, layers = [] } = Manifest.parse(await response.json());
    const missing: string[] = [];
    for (const child of manifests) missing.push(...(await this.#missing(repository, child.digest)));
    for (const blob of [...(config === undefined ? [] : [config]), ...layers]) {
      const { status } = await this.#ask(`${repository}/blobs/${blob.digest}`, 'HEAD');
      if (status !== 200) missing.push(blob.digest);
    }
    return missing;
  }

  #ask(path: string, method = 'GET'): Promise<Response> {
    const accept = ['index', 'manifest']
      .map((kind) => `application/vnd.oci.image.${kind}.v1+json`)
      .join(', ');
    return fetch(`http://${this.bench.embedded.host}/v2/${path}`, { method, headers: { accept } });
  }
}
