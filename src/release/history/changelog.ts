import { ReleaseError } from '../errors.ts';
import { readIfThere, writeWhole } from '../machine/file.ts';
import { compareVersions, type Version, versionOrNone } from '../versions/version.ts';
import { renderSection } from './conventional.ts';
import {
  assertComplete,
  commitsBetween,
  readCommit,
  readRepository,
  tagCommit,
  taggedVersions,
} from './git.ts';

const TITLE = [
  '# Changelog',
  'Every release, newest first. `thoth-release changelog` writes a section from the commits of its release.',
];
/** A title in either form of Markdown. */
const HAS_TITLE = /(?<![^\n])(?:#[ \t]|[^\n]*\S[^\n]*\n=+[ \t]*\r?(?![^\n]))/;
const HEADING = /(?<![^\n])(##?)[ \t]+([^\n]*)/g;
/** Code blocks and comments (CommonMark 0.31, 4.5 and 4.6): a heading in them is none. */
const HIDDEN = [
  /(?<![^\n]) {0,3}(`{3,})[^`\n]*\n(?:[^\n]*\n)*? {0,3}\1`*[ \t]*\r?(?![^\n])/g,
  /(?<![^\n]) {0,3}(~{3,})[^\n]*\n(?:[^\n]*\n)*? {0,3}\1~*[ \t]*\r?(?![^\n])/g,
  /(?<![^\n]) {0,3}<!--.*?-->/gs,
];
const BYTE_ORDER_MARK = '\ufeff';

/** A part of a changelog from its heading to the next one, as offsets; blank lines at its end are not in it. */
interface Section {
  readonly version: Version | undefined;
  readonly start: number;
  readonly end: number;
}

/**
 * The changelog section of a version, as Markdown: from the release before it to the version's own tag, or to
 * the commit that is checked out where it has none yet.
 *
 * The release before it is the highest lower version whose tag is in its history. For a stable version it is a
 * stable one, so that v1.0.0 tells what its release candidates brought.
 *
 * @throws ReleaseError GIT_MISSING, GIT_FAILED; GIT_NO_HISTORY for a shallow clone too
 */
export async function changelogSection(project: string, version: Version): Promise<string> {
  const repository = await readRepository(project);
  assertComplete(repository);
  const end = (await tagCommit(project, version.tag)) ?? repository.head;
  const earlier = await taggedVersions(project, end);
  const stable = version.prerelease.length === 0;
  const previous = earlier.find(
    (other) => compareVersions(other, version) < 0 && !(stable && other.prerelease.length > 0),
  );
  const commits = await commitsBetween(project, previous && `refs/tags/${previous.tag}`, end);
  const { time } = await readCommit(project, end);
  return renderSection({ version, previous, time, url: repository.url, commits });
}

/**
 * Puts a version's section into a changelog: in place of the one it has, else before the first lower version.
 * All else stays as it is, byte for byte; a title is added where there is none. Doing it again changes nothing.
 *
 * @param text the changelog, or '' where there is none yet
 * @param section from {@link changelogSection}
 */
export function updateChangelog(text: string, version: Version, section: string): string {
  if (text.startsWith(BYTE_ORDER_MARK)) {
    return BYTE_ORDER_MARK + updateChangelog(text.slice(BYTE_ORDER_MARK.length), version, section);
  }
  const eol = text.includes('\r\n') ? '\r\n' : '\n';
  const own = unix(section).trim().replaceAll('\n', eol);
  const [first, ...others] = sectionsOf(own);
  if (first?.version?.version !== version.version || first.start > 0 || others.length > 0) {
    throw new Error(`This is not one section, of ${version.version}: ${section.slice(0, 80)}`);
  }
  const titled = hasTitle(text) ? text : [...TITLE, text].join(eol + eol);
  const sections = sectionsOf(titled);
  const same = sections.find((other) => other.version?.version === version.version);
  if (same !== undefined) {
    const current = titled.slice(same.start, same.end);
    if (unix(current) === unix(own)) return titled;
    return titled.slice(0, same.start) + own + titled.slice(same.end);
  }
  const at = placeOf(version, sections) ?? titled.length;
  const [before, after] = [titled.slice(0, at), titled.slice(at)];
  const gap = /\n\r?\n$/.test(before) ? '' : before.endsWith('\n') ? eol : eol + eol;
  return before + gap + own + eol + (after === '' ? '' : eol) + after;
}

/**
 * Puts a version's section into a changelog file. A file that would stay the same is not written.
 *
 * @param from the changelog that the section is put into, where that is another file
 * @throws ReleaseError as {@link changelogSection}; USAGE where the file can't be read; DISK where it can't be
 *   written, and then it is as it was
 */
export async function writeChangelog(
  project: string,
  version: Version,
  file: string,
  from = file,
): Promise<{ section: string; changed: boolean }> {
  const section = await changelogSection(project, version);
  const updated = updateChangelog(await readText(from), version, section);
  const changed = updated !== (await readText(file));
  if (changed) await writeWhole(file, updated);
  return { section, changed };
}

/** Where a new section goes: before the first lower version, else after the last one. */
function placeOf(version: Version, sections: readonly Section[]): number | undefined {
  const released = sections.filter((section) => section.version !== undefined);
  const lower = released.find((other) => other.version && compareVersions(other.version, version) < 0);
  const last = released.at(-1);
  return lower?.start ?? (last && sections[sections.indexOf(last) + 1])?.start;
}

function sectionsOf(text: string): Section[] {
  const headings = [...visible(text).matchAll(HEADING)];
  return headings.map(({ index: start, 1: level, 2: title = '' }, index) => {
    const next = headings[index + 1]?.index ?? text.length;
    const name = /^\[?([^\s\]]+)/.exec(title)?.[1] ?? '';
    return {
      version: level === '##' ? versionOrNone(name) : undefined,
      start,
      end: start + text.slice(start, next).trimEnd().length,
    };
  });
}

function hasTitle(text: string): boolean {
  const first = sectionsOf(text).find((section) => section.version !== undefined);
  return HAS_TITLE.test(visible(text).slice(0, first?.start));
}

/** The text with blanks where code blocks and comments are, so that offsets stay. */
function visible(text: string): string {
  return HIDDEN.reduce((rest, block) => rest.replace(block, (it) => it.replace(/[^\n]/g, ' ')), text);
}

function unix(text: string): string {
  return text.replaceAll('\r\n', '\n');
}

async function readText(file: string): Promise<string> {
  try {
    const bytes = (await readIfThere(file)) ?? Buffer.alloc(0);
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    const why = cause instanceof TypeError ? 'it is not UTF-8' : String(cause);
    throw new ReleaseError(
      'USAGE',
      `${file} can not be read: ${why}.`,
      'Mend it or name another file.',
      [],
      cause,
    );
  }
}
