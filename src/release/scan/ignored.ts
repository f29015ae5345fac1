import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { readIfThere } from '../machine/file.ts';
import type { Finding } from './finding.ts';

/** The file of findings that do not stop a release, from the root of the project. */
export const IGNORE_FILE = 'security/ignore.yaml';

/** A finding that somebody decided to live with, for a while. */
export const Ignored = z.strictObject({
  /** `CVE-2026-1`, `private-key`, `DS-0002`. */
  id: z.string().min(1, 'is empty'),
  /** What the finding is in: a package, a file, or a folder with its slash. */
  in: z.string().min(1, 'is empty'),
  reason: z.string().trim().min(10, 'says too little: tell in a sentence why this is no danger here'),
  /** Who answers for it, and is asked when it ends: a name, a team, a mail address. */
  owner: z.string().trim().min(1, 'is empty'),
  /** The last day, `2026-06-30`, in UTC. */
  until: z.iso.date('is not a date such as 2026-06-30'),
});
export type Ignored = z.infer<typeof Ignored>;

/** What the ignore file says on one day. */
export interface IgnoreFile {
  /** Entries that count. */
  readonly ignored: readonly Ignored[];
  /** Entries whose last day is over: each stops a release until somebody decides again. */
  readonly expired: readonly Ignored[];
}

/**
 * Reads the project's ignore file; nothing where there is none.
 *
 * @throws ReleaseError SETTING_INVALID with every fault at once
 */
export async function readIgnored(project: string, now: Date): Promise<IgnoreFile> {
  const path = join(project, IGNORE_FILE);
  const text = (await readIfThere(path))?.toString() ?? '[]';
  const today = now.toISOString().slice(0, 10);
  const entries = parseIgnored(text, path);
  return {
    ignored: entries.filter((entry) => entry.until >= today),
    expired: entries.filter((entry) => entry.until < today),
  };
}

function parseIgnored(text: string, path: string): Ignored[] {
  let faults: string[];
  try {
    // Everything as text: a date must not become a time of some zone.
    const parsed = z.array(Ignored).safeParse(parse(text, { schema: 'failsafe' }) ?? []);
    if (parsed.success) return parsed.data;
    faults = parsed.error.issues.map((issue) => `${issue.path.join(' ') || 'the file'}: ${issue.message}`);
  } catch (error) {
    faults = String(error).split('\n');
  }
  throw new ReleaseError(
    'SETTING_INVALID',
    `${path} is not a list of findings to ignore.`,
    'Give each entry its id, what it is in, a reason, its owner, and the last day until which it counts.',
    faults,
  );
}

/** Whether one of the entries is about a finding. */
export function isIgnored(finding: Finding, entries: readonly Ignored[]): boolean {
  return entries.some(({ id, in: place }) => {
    if (id !== finding.id || !finding.target.startsWith(place)) return false;
    // After the name there may be a version or a line number, and not the rest of a longer name.
    return place.endsWith('/') || /^(?:[ :]|$)/.test(finding.target.slice(place.length));
  });
}

/** `exception CVE-2026-1 in openssl ended on 2026-06-30; its owner is ada (security/ignore.yaml)`. */
export function describeExpired({ id, in: place, owner, until }: Ignored): string {
  return `exception ${id} in ${place} ended on ${until}; its owner is ${owner} (${IGNORE_FILE})`;
}
