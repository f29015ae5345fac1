import { z } from 'zod';
import type { GitHub } from './github.ts';

/** What an issue is to say. */
export interface WantedIssue {
  readonly title: string;
  /** Markdown. */
  readonly body: string;
  /** Lines of the body that are each about one thing: those that come are told in a comment. */
  readonly rows: readonly string[];
}

/** What was done about it. */
export interface IssueChange {
  readonly done: 'opened' | 'updated' | 'closed' | 'nothing';
  readonly number?: number;
}

const Issue = z.object({
  number: z.int(),
  title: z.string(),
  body: z.string().nullish(),
  author_association: z.string(),
  user: z.object({ type: z.string() }).nullish(),
  /** The list has pull requests too. */
  pull_request: z.unknown().optional(),
});
type Issue = z.infer<typeof Issue>;
const Made = z.object({ number: z.int() });

const OURS: readonly string[] = ['OWNER', 'MEMBER', 'COLLABORATOR'];
const COMMENT_LIMIT = 60_000;

/**
 * Keeps one open issue about `subject`: opens it, writes it anew where something changed, and closes it when there is
 * nothing to tell. It is known by a line that no reader sees.
 *
 * @param wanted `undefined` where there is nothing to tell
 * @throws ReleaseError GITHUB_*
 */
export async function syncIssue(
  github: GitHub,
  subject: string,
  wanted: WantedIssue | undefined,
  options: { dryRun: boolean },
): Promise<IssueChange> {
  const mark = `<!-- thoth-release: ${subject} -->`;
  const found = await findIssue(github, mark);
  if (wanted === undefined && found === undefined) return { done: 'nothing' };
  if (wanted === undefined) {
    if (found !== undefined && !options.dryRun) await close(github, found);
    return { done: 'closed', ...numberOf(found) };
  }
  const body = `${mark}\n${wanted.body}`;
  if (found === undefined) {
    if (options.dryRun) return { done: 'opened' };
    const { number } = await github.write('POST', '/issues', { title: wanted.title, body }, Made);
    return { done: 'opened', number };
  }
  const before = linesOf(found.body ?? '');
  if (before.join('\n') === linesOf(body).join('\n')) return { done: 'nothing', number: found.number };
  if (!options.dryRun) {
    await github.write('PATCH', `/issues/${found.number}`, { title: wanted.title, body }, Made);
    // Nobody is told of a text that changed, but of a comment.
    const came = wanted.rows.filter((row) => !before.includes(row));
    if (came.length > 0) await comment(github, found, `New since the last scan:\n\n${came.join('\n')}`);
  }
  return { done: 'updated', number: found.number };
}

/** The oldest that bears the mark and is by a bot or by who may write here: anybody can write the mark. */
async function findIssue(github: GitHub, mark: string): Promise<Issue | undefined> {
  for await (const issue of github.list('/issues?state=open&sort=created&direction=asc', Issue)) {
    const trusted = issue.user?.type === 'Bot' || OURS.includes(issue.author_association);
    const marked = (issue.body ?? '').startsWith(mark);
    if (trusted && marked && issue.pull_request === undefined) return issue;
  }
  return undefined;
}

async function close(github: GitHub, issue: Issue): Promise<void> {
  await comment(github, issue, 'The last scan found nothing of this any more.');
  const state = { state: 'closed', state_reason: 'completed' };
  await github.write('PATCH', `/issues/${issue.number}`, state, Made);
}

async function comment(github: GitHub, issue: Issue, body: string): Promise<void> {
  await github.write(
    'POST',
    `/issues/${issue.number}/comments`,
    { body: body.slice(0, COMMENT_LIMIT) },
    z.object({}),
  );
}

function linesOf(text: string): string[] {
  return text.replaceAll('\r\n', '\n').trimEnd().split('\n');
}

function numberOf(issue: Issue | undefined): { number?: number } {
  return issue === undefined ? {} : { number: issue.number };
}
