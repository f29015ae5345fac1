import { z } from 'zod';
import { codeCell } from '../history/markdown.ts';
import type { Finding } from '../scan/finding.ts';
import { gate } from '../scan/gate.ts';
import { ScanReport } from '../scan/scan.ts';
import type { WantedIssue } from './github-issue.ts';

/** A released image as it is found again by a scan of today. */
export const RescannedImage = z.object({
  /** What it says it is: `v1.2.3`. */
  version: z.string(),
  /** The tags that people get it by: `latest`, `v1`. */
  tags: z.array(z.string()),
  digest: z.string(),
  report: ScanReport,
});
export type RescannedImage = z.infer<typeof RescannedImage>;

/** What was scanned again. `repository` is `docker.io/marcopancotti/thoth`. */
export const Rescan = z.object({ repository: z.string(), images: z.array(RescannedImage) });
export type Rescan = z.infer<typeof Rescan>;

/** Tags that whole lines of users follow: what they point to is scanned again. */
export function followedTags(tags: readonly string[]): string[] {
  return tags.filter((tag) => tag === 'latest' || /^v\d+$/.test(tag)).sort();
}

/** GitHub takes 65,536 characters in an issue. */
const ROWS = 200;
const CELL = 60;

/**
 * The issue that tells what would stop a release of these images today; `undefined` where nothing would. The same
 * findings give the same text, whatever the day.
 */
export function issueOf({ repository, images }: Rescan): WantedIssue | undefined {
  const rows = images.flatMap(rowsOf);
  if (rows.length === 0) return undefined;
  const more = rows.length - ROWS;
  const pulled = images
    .filter((image) => gate(image.report).length > 0)
    .map(({ version, tags, digest }) => `* ${version}, pulled as ${tags.join(', ')}: \`${digest}\``);
  const text = [
    `A scan of what is pulled from \`${repository}\` found what would stop a release today:`,
    ['| Image | Severity | Finding | In | Fixed in | Platforms |', '| --- | --- | --- | --- | --- | --- |']
      .concat(rows.slice(0, ROWS))
      .join('\n'),
    ...(more > 0 ? [`And ${more} more.`] : []),
    pulled.join('\n'),
    'Release a patch with the fixes; where a finding is no danger, say so in `security/ignore.yaml`, with an end. The next ' +
      'scan closes this issue. It also writes this text anew: add what you know as a comment.',
  ];
  return { title: `Findings in the released images of ${repository}`, body: `${text.join('\n\n')}\n`, rows };
}

/** A row a finding, with all the platforms it is on, the worst first. */
function rowsOf({ version, report }: RescannedImage): string[] {
  const platforms = new Map<string, string[]>();
  const found = gate(report).map(({ platform, ...finding }) => {
    const key = JSON.stringify(finding);
    platforms.set(key, [...(platforms.get(key) ?? []), platform]);
    return { key, finding };
  });
  const unique = found.filter(({ key }, index) => found.findIndex((other) => other.key === key) === index);
  return unique
    .sort((a, b) => order(a.finding, b.finding))
    .map(({ key, finding: { severity, id, target, fixedIn } }) => {
      const fix = fixedIn === undefined ? '' : codeCell(fixedIn, CELL);
      const cells = [version, severity, codeCell(id, CELL), codeCell(target, CELL), fix];
      return `| ${[...cells, (platforms.get(key) ?? []).join(', ')].join(' | ')} |`;
    });
}

const RANKS: readonly Finding['severity'][] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN'];

function order(a: Finding, b: Finding): number {
  return RANKS.indexOf(a.severity) - RANKS.indexOf(b.severity) || (a.id < b.id ? -1 : Number(a.id > b.id));
}
