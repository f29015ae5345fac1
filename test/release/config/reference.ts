import { configSchema, type Node } from '../../../src/release/config/read.ts';

/** What stands around the table in docs/OWN-IMAGE.md. */
export const TABLE = /(<!-- generated\b[^>]*-->\n)[\s\S]*?(\n<!-- end -->)/;

/** Every key of thoth-release.json, from its schema, as a table. */
export function referenceTable(): string {
  const rows = [...rowsOf(configSchema(), [])].map(([path, node]) => [
    code(path),
    node.default === undefined ? 'none' : code(JSON.stringify(node.default)),
    node.examples === undefined ? '' : code(JSON.stringify(node.examples[0])),
    node.description ?? '',
  ]);
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  const head = ['Key', 'Default', 'Example', 'What it is'];
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function* rowsOf(node: Node, path: readonly string[]): Generator<[string, Node]> {
  for (const [key, part] of Object.entries(node.properties ?? {})) {
    const at = [...path, key];
    if (part.examples !== undefined) yield [at.join('.'), part];
    yield* rowsOf(part, at);
    if (typeof part.additionalProperties === 'object')
      yield* rowsOf(part.additionalProperties, [...at, 'ARG']);
    if (part.items !== undefined) yield* rowsOf(part.items, [...path, `${key}[]`]);
    for (const one of part.anyOf ?? []) yield* rowsOf(one, at);
  }
}

function code(text: string): string {
  return `\`${text}\``;
}
