// Applies a plan in a process of its own, which a test can kill: node --import tsx publish-process.ts JSON
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { readLayout } from '../../../src/release/image/layout.ts';
import { parsePlan } from '../../../src/release/publish/plan.ts';
import { KnownBundles } from '../signing/known-bundles.ts';
import { apply, repositoryAt } from './release-fixture.ts';

const Work = z.object({
  host: z.string(),
  repository: z.string(),
  plan: z.string(),
  layout: z.string(),
  dir: z.string(),
  /** Folder of what was signed before; nothing is signed, without. */
  signed: z.string().optional(),
  /** Layout of the plan's Helm chart. */
  chart: z.string().optional(),
});
export type Work = z.infer<typeof Work>;

const work = Work.parse(JSON.parse(process.argv[2] ?? ''));
const registry = await repositoryAt(work.host, work.repository);
const plan = parsePlan(await readFile(work.plan, 'utf8'), work.plan);
const attest = work.signed === undefined ? {} : { attest: await KnownBundles.attestation(work.signed) };
const chart =
  work.chart === undefined || plan.chart === undefined
    ? {}
    : { chart: { registry: await repositoryAt(work.host, plan.chart.repository), dir: work.chart } };
await apply(plan, registry, work.dir, await readLayout(work.layout), { ...attest, ...chart });
