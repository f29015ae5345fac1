/** An issue that a commit speaks of. */
export interface IssueReference {
  /** `owner/name` of another repository; '' for the commit's own. */
  readonly repository: string;
  readonly issue: string;
  /** Whether the commit says that it closes the issue. */
  readonly closes: boolean;
}

/** GitHub's words for it, and the number of an issue ("Linking a pull request to an issue"). */
const TOKEN = /\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\b|#(\d+)\b/gi;
/** May stand between such a word and the issues it is about. */
const BETWEEN = /^[\s:,&]*(?:and\s*)?$/i;
/** What stands before a number where the issue is another repository's. */
const REPOSITORY = /(?<![\w./-])\w[\w.-]{0,38}\/[\w.-]{1,100}$/;
const REPOSITORY_LENGTH = 1 + 39 + 1 + 100;
/** A footer (Conventional Commits 1.0.0, item 8). */
const FOOTER = /^[A-Za-z][\w-]*(?:: | #)/;

/**
 * The issues that a commit message names, each once: in its first line, after a word such as `closes`
 * anywhere, and in a footer such as `Refs: #5`. A number in a sentence is none.
 */
export function issueReferences(message: string): IssueReference[] {
  const found = new Map<string, IssueReference>();
  message.split('\n').forEach((line, index) => {
    for (const reference of referencesIn(line)) {
      const label = labelOf(reference);
      const counts = reference.closes || index === 0 || FOOTER.test(line);
      if (counts && !found.get(label)?.closes) found.set(label, reference);
    }
  });
  return [...found.values()];
}

/** `#5`, or `owner/name#5` for another repository. */
export function labelOf({ repository, issue }: Omit<IssueReference, 'closes'>): string {
  return `${repository}#${issue}`;
}

function referencesIn(line: string): IssueReference[] {
  const references: IssueReference[] = [];
  let closes = false;
  let end = 0;
  for (const token of line.matchAll(TOKEN)) {
    const before = line.slice(Math.max(end, token.index - REPOSITORY_LENGTH), token.index);
    const [repository = ''] = REPOSITORY.exec(before) ?? [];
    const [text, issue] = token;
    if (issue === undefined) closes = true;
    else {
      closes &&= BETWEEN.test(line.slice(end, token.index - repository.length));
      // In `c#5` and `/#5` it is no issue.
      if (repository !== '' || !/[\w./-]$/.test(before)) references.push({ repository, issue, closes });
    }
    end = token.index + text.length;
  }
  return references;
}
