import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** Unix seconds of the first commit, 2026-01-02T03:04:05Z; each later one is a minute after. */
export const START = 1_767_323_045;

const WHO = { NAME: 'Ada', EMAIL: 'ada@example.test' };
/** Nothing of the machine's own git is in it, so that the same steps give the same hashes. */
const ENV = {
  PATH: process.env.PATH,
  HOME: '/nonexistent',
  LC_ALL: 'C.UTF-8',
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: WHO.NAME,
  GIT_AUTHOR_EMAIL: WHO.EMAIL,
  GIT_COMMITTER_NAME: WHO.NAME,
  GIT_COMMITTER_EMAIL: WHO.EMAIL,
};

/** A git repository in a temporary folder that goes with its test. */
export interface TestRepository {
  readonly dir: string;
  git(...args: string[]): string;
  /** Writes a file into the work tree. */
  write(path: string, text: string): void;
  /** Commits all that is in the work tree. @returns the hash */
  commit(message: string, ...tags: string[]): string;
  /** Many commits at once. */
  commits(messages: readonly string[]): void;
  /** Merges a branch with a merge commit. */
  merge(branch: string, message: string): void;
}

export function temporaryFolder(t: TestContext): string {
  const dir = mkdtempSync(join(tmpdir(), 'thoth-git-'));
  t.after(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Sets variables of this process for one test; `undefined` takes one away. */
export function setEnvironment(
  t: TestContext,
  variables: Readonly<Record<string, string | undefined>>,
): void {
  const before = Object.fromEntries(Object.keys(variables).map((name) => [name, process.env[name]]));
  const apply = (values: typeof variables) => {
    for (const [name, value] of Object.entries(values)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
  apply(variables);
  t.after(() => apply(before));
}

/** An empty repository on the branch `main`, with a package.json that names `url`. */
export function createRepository(t: TestContext, url = 'https://example.test/ada/app'): TestRepository {
  const dir = temporaryFolder(t);
  let time = START;
  const git = (args: readonly string[], input = '') => {
    const date = `@${time} +0000`;
    const env = { ...ENV, GIT_AUTHOR_DATE: date, GIT_COMMITTER_DATE: date };
    const stdio: ['pipe', 'pipe', 'pipe'] = ['pipe', 'pipe', 'pipe'];
    return execFileSync('git', args, { cwd: dir, env, input, stdio, encoding: 'utf8' }).trim();
  };
  git(['init', '-q', '-b', 'main', '--object-format=sha1']);
  const write = (path: string, text: string) => writeFileSync(join(dir, path), text);
  write('package.json', JSON.stringify({ repository: { type: 'git', url } }));
  return {
    dir,
    write,
    git: (...args) => git(args),
    commit(message, ...tags) {
      git(['add', '-A']);
      git(
        ['commit', '-q', '--allow-empty', '--allow-empty-message', '--cleanup=verbatim', '-F', '-'],
        message,
      );
      time += 60;
      for (const tag of tags) git(['tag', tag]);
      return git(['rev-parse', 'HEAD']);
    },
    commits(messages) {
      const branch = git(['symbolic-ref', 'HEAD']);
      const stream = messages.map((message, index) => {
        time += 60;
        const from = index === 0 ? `from ${branch}^0\n` : '';
        const who = `committer ${WHO.NAME} <${WHO.EMAIL}> ${time} +0000`;
        return `commit ${branch}\n${who}\ndata ${Buffer.byteLength(message)}\n${message}\n${from}\n`;
      });
      git(['fast-import', '--quiet'], stream.join(''));
    },
    merge(branch, message) {
      git(['merge', '-q', '--no-ff', '-m', message, branch]);
      time += 60;
    },
  };
}
