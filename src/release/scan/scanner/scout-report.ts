import { z } from 'zod';
import { ReleaseError } from '../../errors.ts';
import type { Finding } from '../finding.ts';

/** What Scout calls a vulnerability that has no fix. */
const NOT_FIXED = 'not fixed';
/** `pkg:TYPE/NAMESPACE/NAME@VERSION` (https://github.com/package-url/purl-spec); what follows is left out. */
const PURL = /^pkg:([\w.+-]+)\/(?:([^?#]+)\/)?([^/?#@]+)(?:@([^?#]+))?/;
/** Package types whose namespace is the distribution, and no part of the name. */
const DISTRIBUTED = ['deb', 'apk', 'rpm'];

/** A vulnerability: Scout's SARIF has a rule for each, with every package it is in. */
const Rule = z.object({
  id: z.string(),
  shortDescription: z.object({ text: z.string() }).optional(),
  properties: z.object({
    cvssV3_severity: z.enum(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNSPECIFIED']),
    fixed_version: z.string(),
    purls: z.array(z.string()).min(1),
  }),
});
const ScoutReport = z.object({
  version: z.literal('2.1.0'),
  runs: z
    .array(
      z.object({
        tool: z.object({
          driver: z.object({ name: z.string().regex(/scout/i), rules: z.array(Rule).default([]) }),
        }),
      }),
    )
    .length(1),
});

/**
 * Reads the SARIF report of `docker scout cves`. A finding is named as Trivy names it, so that both mean the same.
 *
 * @throws ReleaseError SCAN_FAILED where it has another form
 */
export function readScoutFindings(sarif: string, platform: string): Finding[] {
  try {
    const { runs } = ScoutReport.parse(JSON.parse(sarif));
    return runs.flatMap(({ tool }) => tool.driver.rules.flatMap(findingsOf));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
    throw new ReleaseError(
      'SCAN_FAILED',
      `Docker Scout's report on ${platform} has a form this version does not know.`,
      'Leave Scout out (THOTH_SCANNER=trivy), and report it.',
      reason.split('\n'),
    );
  }
}

function findingsOf({ id, shortDescription, properties }: z.infer<typeof Rule>): Finding[] {
  const { cvssV3_severity: severity, fixed_version: fixed, purls } = properties;
  const [, title = id] = /^[^:]+: (.+)/s.exec(shortDescription?.text ?? '') ?? [];
  return purls.map((purl) => ({
    kind: 'vulnerability',
    id,
    severity: severity === 'UNSPECIFIED' ? 'UNKNOWN' : severity,
    title,
    target: packageOf(purl),
    ...(fixed === NOT_FIXED ? {} : { fixedIn: fixed }),
  }));
}

/** `openssl 3.0.1` for `pkg:deb/debian/openssl@3.0.1?os_name=debian`. */
function packageOf(purl: string): string {
  const [, type = '', namespace, name = '', version = ''] = PURL.exec(purl) ?? [];
  if (name === '') throw new Error(`"${purl}" is no package URL`);
  const scoped = namespace === undefined || DISTRIBUTED.includes(type) ? name : `${namespace}/${name}`;
  return decodeURIComponent(`${scoped} ${version}`.trim());
}
