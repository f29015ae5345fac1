import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { cp, mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { build } from 'esbuild';
import { z } from 'zod';
import type { Layout } from '../../src/release/layout.ts';
import { formatPlan, type Plan } from '../../src/release/plan.ts';
import { currentTags } from '../../src/release/publish.ts';
import { answer, type Fault, FaultProxy } from './proxy.ts';
import { apply, type Bench, makeLayout, openBench, planFor, repositoryAt } from './release-fixture.ts';

const RANGES = ['v1.0', 'v1', 'latest'];
const Manifest = z.object({
  manifests: z.array(z.object({ digest: z.string() })).optional(),
  config: z.object({ digest: z.string() }).optional(),
  layers: z.array(z.object({ digest: z.string() })).optional(),
});

/** What was tried and what came of it, printed at the end. */
const count = { killed: 0, states: 0, mixed: 0, repeated: 0 };

/**
 * v1.0.1 is published over v1.0.0 and killed, with everything it started, at each of its requests: once
 * before the request reaches the registry, and once when it had its effect and the answer is lost.
 */
describe('a publish that is killed at any request', () => {
  let bench: Bench;
  let proxy: FaultProxy;
  let host: string;
  let old: Layout;
  let next: Layout;
  let requests = 0;
  let script: string;
  before(async () => {
    bench = await openBench();
    proxy = new FaultProxy(bench.embedded.host);
    host = await proxy.start();
    [old, next] = [await makeLayout(bench, 'v1.0.0'), await makeLayout(bench, 'v1.0.1')];
    const template = await repositoryAt(host, 'template');
    await apply(await planFor(template, 'v1.0.0', old), template, await newFolder(), old);
    script = join(bench.dir, 'publish.mjs');
    await bundle(script);
    const undisturbed = await prepare('undisturbed');
    proxy.seen = [];
    await finished(launch(undisturbed));
    requests = proxy.seen.length;
  });
  after(async () => {
    await proxy.stop();
    await bench.close();
    console.log(
      `requests killed: ${count.killed}, states checked: ${count.states}, ` +
        `mixed states found: ${count.mixed}, uploads repeated: ${count.repeated}`,
    );
  });

  interface Prepared {
    readonly repository: string;
    readonly plan: Plan;
    readonly planPath: string;
    readonly dir: string;
  }
  const newFolder = () => mkdtemp(join(bench.dir, 'run-'));

  /** A repository that holds v1.0.0, and the plan of v1.0.1. */
  async function prepare(repository: string): Promise<Prepared> {
    const store = join(bench.dir, 'registry/docker/registry/v2/repositories');
    await cp(join(store, 'template'), join(store, repository), { recursive: true });
    const dir = await newFolder();
    const plan = await planFor(await repositoryAt(host, repository), 'v1.0.1', next);
    const planPath = join(dir, 'plan.json');
    await writeFile(planPath, formatPlan(plan));
    return { repository, plan, planPath, dir };
  }

  function launch({ repository, planPath, dir }: Prepared): ChildProcess {
    const work = { host, repository, plan: planPath, layout: next.dir, dir };
    return spawn(process.execPath, [script, JSON.stringify(work)], { stdio: 'ignore' });
  }

  /** No range tag is at an image that lacks a part, and `latest` is never ahead of another tag. */
  async function assertWhole(repository: string): Promise<void> {
    count.states += 1;
    const tags = await currentTags(await repositoryAt(bench.embedded.host, repository), RANGES);
    for (const [tag, digest] of tags) {
      const known = digest === old.index.digest || digest === next.index.digest;
      const missing =
        digest === undefined ? ['all'] : await missingParts(bench.embedded.host, repository, digest);
      if (!known || missing.length > 0) count.mixed += 1;
      assert.ok(known, `${tag} is at ${digest}`);
      assert.deepEqual(missing, [], `${tag} is at an image that lacks a part`);
    }
    if (tags.get('latest') === next.index.digest) {
      assert.ok([...tags.values()].every((digest) => digest === next.index.digest));
    }
  }

  for (const mode of ['reset', 'swallow-answer'] as const) {
    const when = mode === 'reset' ? 'before it reaches the registry' : 'after its effect, its answer lost';
    test(`${when}: the next run ends in the same state, and sends no blob twice`, async () => {
      assert.ok(requests > 20, `an undisturbed publish made ${requests} requests`);
      for (let at = 1; at <= requests; at += 1) {
        const prepared = await prepare(`${mode}-${at}`);
        const child = launch(prepared);
        const ended = once(child, 'exit');
        let seen = 0;
        proxy.fault = () => {
          seen += 1;
          if (seen < at) return undefined;
          if (seen === at) killAll(child.pid ?? 0);
          return seen === at ? mode : 'reset';
        };
        await ended;
        proxy.fault = () => undefined;
        count.killed += 1;
        await assertWhole(prepared.repository);

        const there = await blobsIn(bench.embedded.host, prepared.repository, next);
        proxy.seen = [];
        const registry = await repositoryAt(host, prepared.repository);
        await apply(prepared.plan, registry, prepared.dir, next);
        const again = proxy.writes.filter(
          ({ path, bytes }) => bytes > 0 && there.some((blob) => path.includes(blob.slice(7))),
        );
        count.repeated += again.length;
        assert.deepEqual(again, [], `uploads repeated after request ${at}`);
        await assertWhole(prepared.repository);
        const final = await currentTags(registry, ['v1.0.1', ...RANGES, 'v1.0.0']);
        assert.deepEqual(
          [...final.values()],
          [...Array<string>(4).fill(next.index.digest), old.index.digest],
          `the state after request ${at}`,
        );
      }
    });
  }

  test('a registry that fails 30 % of requests at random: 100 of 100 publishes succeed', async () => {
    const random = seeded(7);
    const spoil: readonly ReturnType<Fault>[] = [
      ...[answer(500), answer(502), answer(503)],
      'reset',
      'swallow-answer',
    ];
    let failed = 0;
    const publishOne = async (number: number) => {
      const repository = `random-${number}`;
      const prepared = await prepare(repository);
      await apply(prepared.plan, await repositoryAt(host, repository), prepared.dir, next);
      await assertWhole(repository);
    };
    const waiting = Array.from({ length: 100 }, (_, number) => number);
    proxy.fault = () => {
      if (random() >= 0.3) return undefined;
      failed += 1;
      return spoil[Math.floor(random() * spoil.length)];
    };
    try {
      await Promise.all(
        Array.from({ length: 10 }, async () => {
          for (let number = waiting.pop(); number !== undefined; number = waiting.pop())
            await publishOne(number);
        }),
      );
    } finally {
      proxy.fault = () => undefined;
    }
    assert.ok(failed > 500, `${failed} requests were spoilt`);
  });

  test('Retry-After is obeyed', async () => {
    const registry = await repositoryAt(host, 'template');
    const times: number[] = [];
    proxy.fault = () => {
      times.push(performance.now());
      return times.length === 1 ? answer(429, { 'retry-after': '2' }) : undefined;
    };
    assert.equal(await registry.digestOf('v1.0.0'), old.index.digest);
    proxy.fault = () => undefined;
    const waited = (times[1] ?? 0) - (times[0] ?? 0);
    assert.ok(waited >= 1_900, `it waited ${Math.round(waited)} ms`);
  });
});

/** Ends a process and all it started, at once: a power cut. */
function killAll(pid: number): void {
  const pids = [pid, ...descendants(pid)];
  for (const one of pids) {
    try {
      process.kill(one, 'SIGKILL');
    } catch {
      // it has ended by itself
    }
  }
}

function descendants(parent: number): number[] {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => parentOf(name) === parent)
    .map(Number);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

function parentOf(pid: string): number | undefined {
  try {
    return Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    return undefined;
  }
}

/** Bundled, a process starts in a third of the time; there are a hundred of them. */
async function bundle(outfile: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'publish-process.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    define: { 'import.meta.dirname': JSON.stringify(import.meta.dirname) },
  });
}

async function finished(child: ChildProcess): Promise<void> {
  const [code] = await once(child, 'exit');
  assert.equal(code, 0);
}

const ACCEPT = ['application/vnd.oci.image.index.v1+json', 'application/vnd.oci.image.manifest.v1+json'].join(
  ', ',
);

async function get(host: string, path: string, method = 'GET'): Promise<Response> {
  return fetch(`http://${host}/v2/${path}`, { method, headers: { accept: ACCEPT } });
}

/** Asks the registry itself, not through regctl, for every part of an image. @returns what is not there */
async function missingParts(host: string, repository: string, digest: string): Promise<string[]> {
  const response = await get(host, `${repository}/manifests/${digest}`);
  if (response.status !== 200) return [digest];
  const { manifests = [], config, layers = [] } = Manifest.parse(await response.json());
  const missing: string[] = [];
  for (const child of manifests) missing.push(...(await missingParts(host, repository, child.digest)));
  for (const blob of [...(config === undefined ? [] : [config]), ...layers]) {
    const head = await get(host, `${repository}/blobs/${blob.digest}`, 'HEAD');
    if (head.status !== 200) missing.push(blob.digest);
  }
  return missing;
}

/** Blobs of a layout that a repository has already. */
async function blobsIn(host: string, repository: string, layout: Layout): Promise<string[]> {
  const there: string[] = [];
  for (const { digest } of layout.blobs) {
    const { status } = await get(host, `${repository}/blobs/${digest}`, 'HEAD');
    if (status === 200) there.push(digest);
  }
  return there;
}

/** Mulberry32: the same numbers in every run, so that a failure can be had again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
