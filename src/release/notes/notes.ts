import { codeCell, escapeLine } from '../history/markdown.ts';
import { largestLayers } from '../image/largest-layers.ts';
import type { Layout, PlatformImage } from '../image/layout.ts';
import { megabytes } from '../image/megabytes.ts';
import { describeFinding, type Finding } from '../scan/finding.ts';
import { describeScan, type Located } from '../scan/gate.ts';
import type { ScanReport } from '../scan/scan.ts';
import type { Version } from '../versions/version.ts';
import type { NoPrevious, PreviousRelease } from './previous.ts';

/** What the notes of a release tell. What is left out is not spoken of. */
export interface NotesInput {
  /** What is released: `Thoth`. */
  readonly title: string;
  readonly version: Version;
  /** The version's section of the changelog, as Markdown. */
  readonly section: string;
  /** `docker.io`. */
  readonly registry: string;
  /** `marcopancotti/thoth`. */
  readonly repository: string;
  /** In push order. */
  readonly tags: readonly string[];
  /** Repository of the Helm chart. */
  readonly chart?: string | undefined;
  /** Whether plain manifests for Kubernetes are a file of the release. */
  readonly manifests?: boolean;
  readonly layout?: Layout | undefined;
  readonly scan?: ScanReport | undefined;
  readonly previous?: PreviousRelease | NoPrevious | undefined;
}

/** The first half of a character that UTF-16 needs two for. */
const HALF_CHARACTER = /[\ud800-\udbff]$/;
const FINDINGS_SHOWN = 20;
const MADE_BY_LENGTH = 60;
const SHORT_DIGEST = 'sha256:'.length + 12;
const SEVERITIES: readonly Finding['severity'][] = ['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN'];

/** Renders the notes of a release as Markdown. The same input gives the same bytes. */
export function renderNotes(input: NotesInput): string {
  const { version, section, layout, scan } = input;
  const previous = input.previous !== undefined && 'version' in input.previous ? input.previous : undefined;
  const parts = [
    `# ${escapeLine(input.title)} ${version.tag}`,
    section.trim(),
    '## Images',
    pullCommands(input),
    ...(layout === undefined ? [] : [`Image index: \`${layout.index.digest}\``]),
    `Tags: ${input.tags.map((tag) => `\`${tag}\``).join(', ')}`,
    ...(layout === undefined ? [] : describeImages(layout, previous)),
    ...notCompared(input.previous),
    ...kubernetes(input),
    ...(scan === undefined ? [] : ['## Scan', scanLine(scan), ...compareScans(previous)]),
    '## Verify',
    'This reads the release back from the registry and checks digests, platforms, labels and tags:',
    code(
      `thoth-release verify --tag ${version.tag} --registry ${input.registry} --repository ${input.repository}`,
    ),
  ];
  return `${parts.join('\n\n')}\n`;
}

/**
 * Notes that are longer than a limit, cut at the end of a paragraph, with a line that says where the rest is.
 *
 * @param limit in characters; an emoji may count as two
 * @param rest address of the whole
 */
export function cutNotes(notes: string, limit: number, rest: string): string {
  if (notes.length <= limit) return notes;
  const fence = '\n```';
  const more = `\n\n**These notes are cut off. [All of them](${rest}).**\n`;
  const room = notes.slice(0, limit - more.length - fence.length);
  const end = [room.lastIndexOf('\n\n'), room.lastIndexOf('\n')].find((index) => index > room.length / 2);
  const kept = room.slice(0, end).replace(HALF_CHARACTER, '').trimEnd();
  const inCode = (kept.match(/^```/gm) ?? []).length % 2 === 1;
  return `${kept}${inCode ? fence : ''}${more}`;
}

function pullCommands({ version, registry, repository, layout }: NotesInput): string {
  const name = `docker pull ${registry}/${repository}`;
  const byDigest = layout === undefined ? [] : [`${name}@${layout.index.digest}`];
  return code(`${name}:${version.tag}`, ...byDigest);
}

/** Both run the image by its digest. */
function kubernetes({ version, registry, repository, chart, manifests = false }: NotesInput): string[] {
  // As Docker's and Helm's own documents have it; `docker.io` is a short name of Docker's.
  const host = registry === 'docker.io' ? 'registry-1.docker.io' : registry;
  const name = repository.split('/').at(-1);
  const lines = [
    ...(chart === undefined
      ? []
      : [`helm install ${name} oci://${host}/${chart} --version ${version.version}`]),
    ...(manifests ? ['kubectl apply --filename kubernetes.yaml   # a file of this release'] : []),
  ];
  return lines.length === 0 ? [] : ['## Kubernetes', code(...lines)];
}

function describeImages(layout: Layout, previous: PreviousRelease | undefined): string[] {
  const since = previous === undefined ? [] : [`Since ${previous.version.tag}`];
  const images = layout.platforms.map((image) => [
    image.platform,
    `\`${image.digest}\``,
    `${megabytes(image.size)} MB`,
    ...(previous === undefined ? [] : [sizeChange(image.size, previous.sizes[image.platform])]),
  ]);
  const names = layout.platforms.map((image) => image.platform);
  const gone = Object.keys(previous?.sizes ?? {}).filter((platform) => !names.includes(platform));
  return [
    table([['Platform', 'Manifest digest', 'Compressed size', ...since], ...images]),
    ...(gone.length === 0 ? [] : [`No longer there: ${gone.join(', ')}`]),
    'The largest layers:',
    table([['Platform', 'Layer', 'Compressed size', 'Made by'], ...layout.platforms.flatMap(layerRows)]),
  ];
}

function sizeChange(size: number, before: number | undefined): string {
  if (before === undefined) return 'new';
  if (size === before) return 'the same';
  const sign = size > before ? '+' : '-';
  const change = Math.abs(size - before);
  return `${sign}${megabytes(change)} MB (${sign}${((change / before) * 100).toFixed(1)} %)`;
}

function layerRows(image: PlatformImage): string[][] {
  return largestLayers(image).map(({ digest, size, madeBy }) => [
    image.platform,
    `\`${digest.slice(0, SHORT_DIGEST)}\``,
    `${megabytes(size)} MB`,
    madeBy === undefined ? 'not known' : codeCell(madeBy, MADE_BY_LENGTH),
  ]);
}

function scanLine(scan: ScanReport): string {
  const line = escapeLine(`${scan.scanner}: ${describeScan(scan)}`);
  return scan.vulnerabilities.status === 'checked' ? line : `**${line}**`;
}

function notCompared(previous: PreviousRelease | NoPrevious | undefined): string[] {
  if (previous === undefined || 'version' in previous) return [];
  return [escapeLine(previous.notCompared)];
}

/** What came and went between two scans; vulnerabilities only where both looked for them. */
function compareScans(previous: PreviousRelease | undefined): string[] {
  if (previous === undefined) return [];
  const { version, scans } = previous;
  if ('notCompared' in scans)
    return [escapeLine(`The findings are not compared with ${version.tag}: ${scans.notCompared}`)];
  const unchecked = [scans.now, scans.before].some(
    ({ vulnerabilities }) => vulnerabilities.status === 'not-checked',
  );
  const [now, before] = [findingsOf(scans.now, unchecked), findingsOf(scans.before, unchecked)];
  const came = [...now].filter(([key]) => !before.has(key)).map(([, finding]) => finding);
  const went = [...before].filter(([key]) => !now.has(key)).map(([, finding]) => finding);
  const data = unchecked ? '' : ', both scanned with the data of today';
  const but = unchecked ? '; vulnerabilities were not looked for, and are NOT COMPARED' : '';
  return [
    `Since ${version.tag}${data}: ${came.length} new, ${went.length} fixed${but}.`,
    ...listFindings('New:', came),
    ...listFindings('Fixed:', went),
  ];
}

/** Each finding once, with all the platforms it is in. */
function findingsOf(report: ScanReport, withoutVulnerabilities: boolean): Map<string, Located> {
  const found = new Map<string, Located>();
  for (const { platform, findings } of report.platforms) {
    for (const finding of findings) {
      if (withoutVulnerabilities && finding.kind === 'vulnerability') continue;
      const key = identityOf(finding);
      const known = found.get(key);
      if (known === undefined) found.set(key, { ...finding, platform });
      else if (!known.platform.split(', ').includes(platform))
        found.set(key, { ...known, platform: `${known.platform}, ${platform}` });
    }
  }
  return found;
}

/** A package that was updated and still has the fault, or a secret that moved down a file, is nothing new. */
function identityOf({ kind, id, target }: Finding): string {
  const moving = { vulnerability: / \S+$/, secret: /:\d+$/, misconfiguration: /:\d+$/, license: /$/ }[kind];
  return `${kind} ${id} ${target.replace(moving, '')}`;
}

function listFindings(title: string, findings: readonly Located[]): string[] {
  if (findings.length === 0) return [];
  const rank = ({ severity }: Located) => SEVERITIES.indexOf(severity);
  const lines = findings
    .toSorted((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0))
    .map((finding) => `* ${escapeLine(describeFinding(finding))}`);
  const more = lines.length - FINDINGS_SHOWN;
  return [title, [...lines.slice(0, FINDINGS_SHOWN), ...(more > 0 ? [`* and ${more} more`] : [])].join('\n')];
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(...lines: readonly string[]): string {
  return ['```sh', ...lines, '```'].join('\n');
}
