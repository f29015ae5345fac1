/** A code span: it opens and closes with the same number of backticks (CommonMark 0.31, 6.1). */
const CODE_SPAN = /((?<!`)(`+)(?!`).*?[^`]\2(?!`))/;
/** Control characters, all line ends but `\n`, and those that turn the direction of the text around. */
const UNSEEN = /[^\P{Cc}\n\t]|[\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;
/** What would begin a heading, a quote, a list, or a line under a heading: up to the character to escape. */
const BLOCK_START = /^(\s*(?:\d{1,9}(?=[.)](?:\s|$)))?)(?=#{1,6}(?:\s|$)|>|[-+.)](?:\s|$)|[-=][-=\s]*$)/;
const LIST_MARK = /^\s*(?:[*+-]|\d{1,9}[.)])\s+(?=\S)/;

/** Text without what no reader sees, and with `\n` for its line ends. */
export function printable(text: string): string {
  return text.replaceAll('\r\n', '\n').replace(UNSEEN, '');
}

/**
 * Text that somebody wrote as one line of Markdown: shown as it was written, whatever it holds. Only code
 * spans keep their meaning.
 */
export function escapeLine(text: string): string {
  const line = printable(text).replace(/\s*\n\s*/g, ' ');
  const parts = line.split(CODE_SPAN).filter((_, index) => index % 3 !== 2); // without the inner group
  const escaped = parts.map((part, index) => (index % 2 === 1 ? part : escapeText(part))).join('');
  return escaped.replace(BLOCK_START, '$1\\');
}

/**
 * The same for text of several lines, as the text of one list item: later lines are set in, so that nothing
 * in them reaches past the item. Code spans and lists keep their meaning.
 */
export function escapeItem(text: string): string {
  return printable(text)
    .trim()
    .split('\n')
    .map((line) => {
      const [mark = ''] = LIST_MARK.exec(line) ?? [];
      return mark.replace(/[*+]/, '-') + escapeLine(line.slice(mark.length).trimEnd());
    })
    .map((line, index) => (index === 0 || line === '' ? line : `  ${line}`))
    .join('\n');
}

/** Text as code in a table's cell, cut off at `length` characters. */
export function codeCell(text: string, length: number): string {
  const line = printable(text).replace(/\s+/g, ' ').replaceAll('`', "'").trim();
  const characters = [...line];
  const short = characters.length > length ? `${characters.slice(0, length - 1).join('')}…` : line;
  return `\`${short.replaceAll('|', '\\|')}\``;
}

function escapeText(text: string): string {
  return text
    .replace(/[\\`*[<~]|&(?=#?\w+;)/g, '\\$&')
    .replace(/(?<![\p{L}\p{N}_])_+|_+(?![\p{L}\p{N}_])/gu, (run) => run.replaceAll('_', '\\_'));
}
