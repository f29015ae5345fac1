/** Words of a shell between its operators, quotes taken off. */
export type CommandLine = readonly string[];

/**
 * The commands of a script, near enough for documents: no here-documents, no loops. Those in `$(...)` and in
 * `sh -c '...'` are found too; assignments before a command are left out.
 */
export function commandLines(script: string): CommandLine[] {
  const joined = script.replaceAll(/\\\n\s*/g, ' ');
  return joined.split('\n').flatMap((line) => linesOf(line.replace(/^\$ /, '')));
}

function linesOf(line: string): CommandLine[] {
  const inner: string[] = [];
  const outer = line.replaceAll(/"?\$\(([^()]*)\)"?/g, (_, command: string) => {
    inner.push(command);
    return 'SUBSTITUTED';
  });
  const found: string[][] = [[]];
  for (const [token] of outer.matchAll(
    /\s#.*$|^#.*$|&&|\|\||[;|&]|[0-9]?>+&?[0-9]?|<|(?:"[^"]*"|'[^']*'|[^\s;|&"'<>])+/g,
  )) {
    if (/^\s*#/.test(token)) continue;
    if (/^(?:&&|\|\||[;|&])$/.test(token)) found.push([]);
    else found.at(-1)?.push(token);
  }
  const lines = found.map((words) => bare(words)).filter((words) => words.length > 0);
  const quoted = lines.flatMap((words) =>
    words.includes('-c') ? words.slice(words.indexOf('-c') + 1, words.indexOf('-c') + 2) : [],
  );
  return [...lines, ...[...inner, ...quoted].flatMap((text) => commandLines(text))];
}

/** Without redirections and assignments in front. */
function bare(tokens: readonly string[]): string[] {
  const redirection = /^(?:[0-9]?>+&?[0-9]?|<)$/;
  const words = tokens.filter((token, index) => !redirection.test(token) && !redirectedTo(tokens[index - 1]));
  while (/^[A-Za-z_][A-Za-z0-9_]*=/.test(words[0] ?? '')) words.shift();
  return words.map((word) => word.replaceAll(/["']/g, ''));
}

/** Whether what follows is a file's name: `>&2` is whole. */
function redirectedTo(token: string | undefined): boolean {
  return token !== undefined && /^(?:[0-9]?>+|<)$/.test(token);
}
