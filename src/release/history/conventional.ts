import type { Entry, ParsedCommit } from 'conventional-changelog-conventionalcommits';
import type { Version } from '../versions/version.ts';
import type { Commit } from './git.ts';
import { type IssueReference, issueReferences, labelOf } from './issue-reference.ts';
import { escapeItem, escapeLine, printable } from './markdown.ts';

/** The commits of one release, and what its heading says. */
export interface ReleaseCommits {
  readonly version: Version;
  /** The release before it; none for the first. */
  readonly previous?: Version | undefined;
  /** Unix seconds; its day in UTC is shown. */
  readonly time: number;
  /** `https://host/owner/name`; without it nothing is linked. */
  readonly url?: string | undefined;
  /** Newest first. */
  readonly commits: readonly Commit[];
}

/** The preset would take `#fff` and the end of `other/repo#1` for issues of this repository. */
const ISSUE_PREFIX = '(?<![\\w/.-])#(?=\\d+\\b)';
/** Only in capitals and with a colon (Conventional Commits 1.0.0, items 12, 15 and 16). */
const BREAKING = /^(BREAKING[ -]CHANGE):\s*(.*)/;
/** A footer ends the text before it, which the parser does not know; some hold people's addresses. */
const FOOTER =
  /^(?:[A-Z][a-z]*(?:-[A-Za-z]+)+: |\(cherry picked from |(?:[Cc]lose[sd]?|[Ff]ix(?:e[sd])?|[Rr]esolve[sd]?|[Rr]efs?):? \S*#\d)/;
/** Stands around the parser's field names; {@link printable} takes it out of every message. */
const MARK = '\u001f';
/** Title for breaking changes of a type that the preset does not list: a type is anything, even `constructor`. */
const OTHER = 'Other Changes';
const ISSUES =
  '{{#if closes}}, closes{{#each closes}} {{this}}{{/each}}{{/if}}' +
  '{{#if seeAlso}}, see{{#each seeAlso}} {{this}}{{/each}}{{/if}}\n';

/**
 * Renders the Markdown section of one release from its commits, by the rules of Conventional Commits: breaking
 * changes first, then a group for each type that users see. The same commits give the same bytes.
 */
export async function renderSection(release: ReleaseCommits): Promise<string> {
  const { version, previous, time, url } = release;
  // Loaded here, since only this needs them and they take a while.
  const [{ ConventionalChangelog }, { ConventionalGitClient }, { default: createPreset }] = await Promise.all(
    [
      import('conventional-changelog'),
      import('@conventional-changelog/git-client'),
      import('conventional-changelog-conventionalcommits'),
    ],
  );
  const preset = createPreset({ issuePrefixes: [ISSUE_PREFIX] });

  const parser: object = {
    ...preset.parser,
    // Its own search for issues takes minutes for a line of some thousand characters.
    issuePrefixes: undefined,
    referenceActions: undefined,
    notesPattern: () => BREAKING,
    fieldPattern: new RegExp(`^${MARK}(hash)${MARK}$`),
  };

  /** Gives the commits and the tag that were read, in place of a `git log` of its own. */
  class History extends ConventionalGitClient {
    override async *getRawCommits() {
      for (const { hash, message } of release.commits) {
        yield `${printable(message)}\n${MARK}hash${MARK}\n${hash}\n`;
      }
    }
    override async *getSemverTags() {
      if (previous !== undefined) yield previous.tag;
    }
    override async verify() {
      return version.tag;
    }
  }

  const changelog = new ConventionalChangelog(new History('.'))
    .commits({}, parser)
    .context({
      version: version.version,
      date: new Date(time * 1000).toISOString().slice(0, 10),
      ...(url === undefined ? { linkReferences: false, linkCompare: false } : linksTo(url)),
    })
    .writer({
      ...preset.writer,
      commitPartial: preset.writer.commitPartial.trimEnd() + ISSUES,
      commitsSort: byScopeAndSubject,
      commitGroupsSort: (a, b) =>
        Number(a.title === OTHER) - Number(b.title === OTHER) || preset.writer.commitGroupsSort(a, b),
      transform: (commit, context) => {
        const parsed = commit as ParsedCommit;
        const entry = preset.writer.transform(escaped(parsed), context);
        return entry === undefined ? null : adjusted(entry, parsed, url);
      },
    });
  let section = '';
  for await (const chunk of changelog.write()) section += chunk;
  const [heading = '', ...body] = section.trim().split('\n');
  const changes = body.join('\n').trim();
  return `${heading}\n\n${changes === '' ? 'No user-visible changes.' : changes}\n`;
}

/** The preset links inside the text it is given, so the text is made harmless before. */
function escaped(commit: ParsedCommit): ParsedCommit {
  const subject = escapeLine(commit.subject ?? '');
  const notes = commit.notes.map((note) => ({
    ...note,
    text: escapeItem(withoutFooters(note.text)) || subject,
  }));
  return { ...commit, subject: subject || null, notes, references: [] };
}

/** What the template is given: the preset's entry, with its links put right. */
function adjusted(entry: Entry, commit: ParsedCommit, url: string | undefined) {
  const header = commit.header ?? '';
  // The preset links those of this repository that the subject names.
  const linked = issueReferences(header).filter((reference) => reference.repository === '');
  const issues = issueReferences([header, commit.body, commit.footer].join('\n')).filter(
    (reference) => !linked.some((other) => labelOf(other) === labelOf(reference)),
  );
  const linksOf = (closes: boolean) =>
    issues.filter((reference) => reference.closes === closes).map((reference) => linkOf(reference, url));
  return {
    ...entry,
    header: escapeLine(header),
    scope: entry.scope && escapeLine(entry.scope),
    // With no address to link to, the preset's links would lead nowhere.
    subject: url === undefined ? commit.subject && escapeLine(commit.subject) : entry.subject,
    type: entry.type === commit.type ? OTHER : entry.type,
    closes: linksOf(true),
    seeAlso: linksOf(false),
  };
}

function linkOf(reference: IssueReference, url: string | undefined): string {
  const label = labelOf(reference);
  if (url === undefined) return label;
  const base = reference.repository === '' ? url : `${linksTo(url).host}/${reference.repository}`;
  return `[${label}](${base}/issues/${reference.issue})`;
}

function linksTo(url: string): { host: string; owner: string; repository: string } {
  const { origin, pathname } = new URL(url);
  const parts = pathname.slice(1).split('/');
  return { host: origin, owner: parts.slice(0, -1).join('/'), repository: parts.at(-1) ?? '' };
}

function withoutFooters(text: string): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line, index) => index > 0 && FOOTER.test(line));
  return (first === -1 ? lines : lines.slice(0, first)).join('\n').trim();
}

/** By code units, where the preset's order depends on the machine's language. */
function byScopeAndSubject(a: object, b: object): number {
  const [left, right] = [sortKey(a as Partial<Entry>), sortKey(b as Partial<Entry>)];
  return left < right ? -1 : left > right ? 1 : 0;
}

function sortKey({ scope, subject }: Partial<Entry>): string {
  return `${scope ?? ''}\n${subject ?? ''}`;
}
