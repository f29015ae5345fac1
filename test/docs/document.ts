import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import GithubSlugger from 'github-slugger';
import { marked, type Token } from 'marked';

export const ROOT = resolve(import.meta.dirname, '../..');

/** What a Markdown file says that can be wrong: where it leads, where others may lead into it, and its commands. */
export interface Document {
  /** As they are written; pictures too. */
  readonly links: readonly string[];
  /** As GitHub makes them of headings. */
  readonly anchors: ReadonlySet<string>;
  /** The text of fenced blocks that are for a shell. */
  readonly shell: readonly string[];
}

const SHELL = new Set(['sh', 'bash', 'shell', 'console']);

export function readDocument(markdown: string): Document {
  const links: string[] = [];
  const anchors = new Set<string>();
  const shell: string[] = [];
  const slugger = new GithubSlugger();
  marked.walkTokens(marked.lexer(markdown), (token: Token) => {
    if (token.type === 'link' || token.type === 'image') links.push(String(token.href));
    if (token.type === 'heading') anchors.add(slugger.slug(plain(token.tokens ?? [])));
    if (token.type === 'code' && SHELL.has(String(token.lang ?? ''))) shell.push(String(token.text));
  });
  return { links, anchors, shell };
}

/** A heading's text without its marks. */
function plain(tokens: readonly Token[]): string {
  return tokens
    .map((token) =>
      'tokens' in token && token.tokens !== undefined
        ? plain(token.tokens)
        : 'text' in token
          ? String(token.text)
          : '',
    )
    .join('');
}

/** The files that are in the repository, or would be with the next commit, by their paths from its root. */
export function projectFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '-z'], {
    cwd: ROOT,
    encoding: 'utf8',
  });
  return listed.split('\0').filter((path) => path !== '' && existsSync(join(ROOT, path)));
}

/** All Markdown that people read. What tests compare with (`golden`) is no page of anybody's. */
export function projectDocuments(files: readonly string[]): Map<string, Document> {
  const pages = files.filter((path) => path.endsWith('.md') && !path.includes('/golden/'));
  return new Map(pages.map((path) => [path, readDocument(readFileSync(join(ROOT, path), 'utf8'))]));
}
