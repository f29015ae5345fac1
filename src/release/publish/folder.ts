import { join } from 'node:path';
import { ReleaseError } from '../errors.ts';
import { readIfThere } from '../machine/file.ts';
import type { Version } from '../versions/version.ts';
import { type Plan, parsePlan } from './plan.ts';

/** Where everything of one release is: `.thoth/release/v1.0.0/`. */
export interface ReleaseFolder {
  readonly dir: string;
  readonly plan: string;
  readonly journal: string;
  readonly layout: string;
  /** Base images and tools of the build. */
  readonly build: string;
  /** Evidence that each platform was started. */
  readonly starts: string;
  readonly scan: string;
  readonly sbom: string;
  /** OCI layout of the Helm chart. */
  readonly chart: string;
  /** Plain manifests for Kubernetes. */
  readonly manifests: string;
  readonly notes: string;
  readonly summary: string;
}

export function releaseFolder(home: string, version: Version): ReleaseFolder {
  const dir = join(home, 'release', version.tag);
  return {
    dir,
    plan: join(dir, 'plan.json'),
    journal: join(dir, 'journal.jsonl'),
    layout: join(dir, 'layout'),
    build: join(dir, 'build.json'),
    starts: join(dir, 'starts.json'),
    scan: join(dir, 'scan'),
    sbom: join(dir, 'sbom'),
    chart: join(dir, 'chart'),
    manifests: join(dir, 'kubernetes.yaml'),
    notes: join(dir, 'notes.md'),
    summary: join(dir, 'summary.json'),
  };
}

/**
 * The plan at `path`, with the text it was read from; `undefined` where there is none.
 *
 * @throws ReleaseError PLAN_INVALID, also where `path` is the folder that holds one
 */
export async function findPlan(path: string): Promise<{ plan: Plan; text: string } | undefined> {
  const bytes = await readIfThere(path).catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EISDIR' ? isFolder(path) : error;
  });
  const text = bytes?.toString();
  return text === undefined ? undefined : { plan: parsePlan(text, path), text };
}

function isFolder(path: string): ReleaseError {
  return new ReleaseError('PLAN_INVALID', `${path} is a folder.`, 'Name the plan in it: plan.json.');
}
