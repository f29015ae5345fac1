import { ReleaseError } from '../errors.ts';
import { compareVersions, type Version, versionOrNone } from '../versions/version.ts';
import type { HubPage } from './hub.ts';

/** Docker Hub's limits: characters of the short description, bytes of the full one. */
export const LIMITS = { short: 100, full: 25_000 } as const;

/** What stands in the template around the part that is written here. */
const TAGS = /(<!-- tags\b[^>]*-->\n)[\s\S]*?(<!-- end -->)/;
const COMMENT_LINE = /^<!--.*-->\n/gm;
const ROWS = 20;

/** An image of a repository, and its tags: the exact one first, `latest` last. */
export interface TaggedImage {
  readonly version: Version;
  readonly digest: string;
  readonly tags: readonly string[];
}

/**
 * The images that a tag which moves points to, newest version first. Versions that only their own tag points to are
 * left out.
 *
 * @param tags every tag of the repository, with the digest it points to
 */
export function taggedImages(tags: ReadonlyMap<string, string>): TaggedImage[] {
  const images = [...tags].flatMap(([exact, digest]) => {
    const version = exact.startsWith('v') ? versionOrNone(exact) : undefined;
    if (version === undefined) return [];
    const moving = [...tags].filter(([tag, to]) => to === digest && versionOrNone(tag) === undefined);
    const names = moving.map(([tag]) => tag).sort((a, b) => rank(b) - rank(a) || (a < b ? -1 : 1));
    return names.length === 0 ? [] : [{ version, digest, tags: [exact, ...names] }];
  });
  return images.sort((a, b) => compareVersions(b.version, a.version));
}

/** `v1.2` before `v1`, channels after them, `latest` last. */
function rank(tag: string): number {
  if (tag === 'latest') return 0;
  return /^v\d+\.\d+$/.test(tag) ? 3 : /^v\d+$/.test(tag) ? 2 : 1;
}

/**
 * The page as Docker Hub shows it: the template with the tag list and the pull commands in it, without its comments.
 *
 * @param template Markdown with a line `<!-- tags ... -->` and one `<!-- end -->` after it
 * @throws ReleaseError HUB_PAGE where it has none of these, where it is too long, or where the description is empty
 */
export function renderPage(
  template: string,
  description: string,
  repository: string,
  tags: ReadonlyMap<string, string>,
): HubPage {
  if (!TAGS.test(template)) {
    throw new ReleaseError(
      'HUB_PAGE',
      'The page for Docker Hub has no place for the tags.',
      'Give it a line "<!-- tags -->" and, where they end, a line "<!-- end -->".',
    );
  }
  const filled = template
    .replaceAll('\r\n', '\n')
    .replace(TAGS, () => describeTags(repository, taggedImages(tags)));
  const page = { short: description.trim(), full: `${filled.replace(COMMENT_LINE, '').trim()}\n` };
  const [characters, bytes] = [[...page.short].length, Buffer.byteLength(page.full)];
  if (characters > 0 && characters <= LIMITS.short && bytes <= LIMITS.full) return page;
  throw new ReleaseError(
    'HUB_PAGE',
    'Docker Hub does not take this page.',
    'Shorten it; nothing was written.',
    [
      ...(characters === 0 ? ['the short description is empty'] : []),
      ...(characters > LIMITS.short
        ? [`the short description has ${characters} characters of ${LIMITS.short}`]
        : []),
      ...(bytes > LIMITS.full ? [`the page has ${bytes} bytes of ${LIMITS.full}`] : []),
    ],
  );
}

function describeTags(repository: string, images: readonly TaggedImage[]): string {
  const [newest] = images.filter((image) => image.tags.includes('latest')).concat(images);
  if (newest === undefined) return 'No version was released yet.';
  const rows = images
    .slice(0, ROWS)
    .map(({ tags, digest }) => `| ${tags.map((tag) => `\`${tag}\``).join(', ')} | \`${digest}\` |`);
  return [
    '```sh',
    `docker pull ${repository}:${newest.version.tag}`,
    `docker pull ${repository}@${newest.digest}`,
    '```',
    '',
    '| Tags | Image |',
    '| --- | --- |',
    ...rows,
  ].join('\n');
}
