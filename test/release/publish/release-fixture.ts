import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { type Layout, readLayout } from '../../../src/release/image/layout.ts';
import { requireTool } from '../../../src/release/machine/tools.ts';
import type { ChartRelease } from '../../../src/release/publish/chart-release.ts';
import { currentTags } from '../../../src/release/publish/current-tags.ts';
import { openJournal } from '../../../src/release/publish/journal.ts';
import {
  type BuildFacts,
  formatPlan,
  type Plan,
  planRelease,
  type SbomDigests,
} from '../../../src/release/publish/plan.ts';
import { type Applied, type Attestation, applyPlan } from '../../../src/release/publish/publish.ts';
import { type EmbeddedRegistry, startEmbedded } from '../../../src/release/registry/embedded.ts';
import { createRegctl } from '../../../src/release/registry/regctl.ts';
import { createRegistry, type Registry } from '../../../src/release/registry/registry.ts';
import type { Signing } from '../../../src/release/signing/signing.ts';
import { tagsFor } from '../../../src/release/versions/tags.ts';
import { parseVersion, versionOrNone } from '../../../src/release/versions/version.ts';
import { type LayoutOptions, writeLayout } from '../image/layout-fixture.ts';

const HOME = resolve(import.meta.dirname, '../../../.thoth');

/** A registry of the test's own on a free port, and a folder; both are gone after `close`. */
export interface Bench {
  readonly dir: string;
  readonly embedded: EmbeddedRegistry;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const dir = await mkdtemp(join(tmpdir(), 'thoth-release-'));
  const embedded = await startEmbedded(dir);
  return {
    dir,
    embedded,
    close: async () => {
      await embedded.stop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A repository in the registry at `host`, which may be a proxy in front of it. Pauses between tries are left out. */
export async function repositoryAt(
  host: string,
  repository: string,
  options: { attempts?: number; pause?: () => Promise<unknown>; signal?: AbortSignal } = {},
): Promise<Registry> {
  const regctl = createRegctl(await requireTool('regctl', HOME), {
    plainHttp: [host],
    signal: options.signal,
  });
  return createRegistry({ registry: host, repository }, regctl, {
    ...(options.attempts === undefined ? {} : { attempts: options.attempts }),
    pause: options.pause ?? (async () => undefined),
  });
}

/** A layout as it comes out of the build, for one version. */
export async function makeLayout(
  bench: Bench,
  version: string,
  options: LayoutOptions = {},
): Promise<Layout> {
  const dir = await mkdtemp(join(bench.dir, `layout-${version}-`));
  const plain = parseVersion(version).version;
  const content = options.layers ?? [{ 'app/version': `${plain}\n`.repeat(4_000) }];
  await writeLayout(dir, { version: plain, ...options, layers: content });
  return readLayout(dir);
}

/** Who signs a release, and the SBOMs that are attached to it. */
export interface SignedBy {
  readonly signing: Signing;
  readonly sboms: readonly SbomDigests[];
  readonly build?: BuildFacts;
}

/**
 * Plans a layout's release as the command does, with evidence that every gate is passed.
 *
 * @param signed who signs and what is attached; nobody and nothing, without
 */
export async function planFor(
  registry: Registry,
  version: string,
  layout: Layout,
  signed: SignedBy = { signing: { mode: 'none' }, sboms: [] },
): Promise<Plan> {
  const parsed = parseVersion(version);
  const released = (await registry.tags()).map(versionOrNone).filter((one) => one !== undefined);
  const tags = tagsFor(parsed, released);
  const [host = '', ...repository] = registry.name.split('/');
  return planRelease({
    version: parsed,
    target: { registry: host, repository: repository.join('/') },
    rehearsal: false,
    source: { revision: '0123456789abcdef0123456789abcdef01234567', time: 1_700_000_000 },
    layout,
    starts: layout.platforms.map(({ platform, digest }) => ({
      platform,
      digest,
      seconds: 1,
      runner: 'test',
    })),
    scan: {
      scanner: 'trivy 0.74.0',
      severity: ['HIGH', 'CRITICAL'],
      licenses: ['forbidden', 'restricted'],
      vulnerabilities: { status: 'checked', databaseUpdatedAt: '2026-01-02T00:00:00.000Z' },
      platforms: layout.platforms.map(({ platform, digest }) => ({
        platform,
        digest,
        packages: 3,
        findings: [],
      })),
    },
    tags,
    current: await currentTags(registry, tags),
    tools: {},
    build: { builder: 'https://builder.example/test', dockerfile: 'Dockerfile' },
    ...signed,
  });
}

/** Applies a plan with a journal in `dir`. */
export async function apply(
  plan: Plan,
  registry: Registry,
  dir: string,
  layout?: Layout,
  options: { attest?: Attestation; chart?: ChartRelease; signal?: AbortSignal } = {},
): Promise<Applied> {
  const journal = await openJournal(join(dir, 'journal.jsonl'), formatPlan(plan));
  return applyPlan(plan, { registry, journal, layout, scratch: dir, say: () => undefined, ...options });
}
