import { z } from 'zod';
import { LicenseCategory, Severity } from '../config/words.ts';

export const Finding = z.object({
  kind: z.enum(['vulnerability', 'secret', 'misconfiguration', 'license']),
  id: z.string(),
  severity: Severity,
  title: z.string(),
  /** File, package or image part it is in. */
  target: z.string(),
  /** The version that mends it, for a vulnerability that has one. */
  fixedIn: z.string().optional(),
  /** For a licence: what it asks for, and whether of code in the program or of a distribution's own package. */
  license: z.object({ category: LicenseCategory, of: z.enum(['program', 'distribution']) }).optional(),
});
export type Finding = z.infer<typeof Finding>;

/** `CRITICAL vulnerability CVE-2024-1 in openssl 3.0.1, fixed in 3.0.2 (linux/arm64)`. */
export function describeFinding(finding: Finding & { platform: string }): string {
  const { severity, kind, id, target, license, fixedIn, platform } = finding;
  const category = license === undefined ? '' : ` (${license.category})`;
  const fixed = fixedIn === undefined ? '' : `, fixed in ${fixedIn}`;
  return `${severity} ${kind} ${id}${category} in ${target}${fixed} (${platform})`;
}
