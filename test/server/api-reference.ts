// Writes the tables of docs/API.md: node --import tsx test/server/api-reference.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_STATUS } from '../../src/server/http/error-responses.ts';
import { apiDocument } from '../../src/server/http/openapi.ts';
import { REFUSED as REFUSED_BY_ANTHROPIC } from '../../src/server/providers/anthropic/request.ts';
import { REFUSED as REFUSED_BY_GOOGLE } from '../../src/server/providers/google/request.ts';
import { FAMILIES } from '../../src/server/providers/model-name.ts';
import { assemble } from './running.ts';

const FILE = new URL('../../docs/API.md', import.meta.url);
const BLOCK = /(<!-- generated: (\w+)[^>]*-->\n)[\s\S]*?(<!-- end -->)/g;

/** docs/API.md as it is, and as the code says it should be. */
export async function apiReference(): Promise<{ readonly stored: string; readonly expected: string }> {
  const stored = readFileSync(FILE, 'utf8');
  const tables: Readonly<Record<string, string>> = {
    endpoints: endpoints(),
    families: families(),
    refused: refused(),
    errors: errors(),
    metrics: await metrics(),
  };
  const expected = stored.replace(BLOCK, (_, begin, name, end) => `${begin}${tables[name]}\n${end}`);
  return { stored, expected };
}

function endpoints(): string {
  const { paths } = apiDocument(assemble().service.app);
  const rows = Object.entries(paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods as Record<string, { summary: string; security?: object[] }>).map(
      ([method, { summary, security }]) => [
        `\`${method.toUpperCase()} ${path}\``,
        security ? 'yes' : 'no',
        summary,
      ],
    ),
  );
  return table(['Endpoint', 'Key', 'What it does'], rows);
}

function families(): string {
  const rows = Object.entries(FAMILIES).map(([provider, beginnings]) => [
    `\`${provider}/\``,
    beginnings.map((beginning) => `\`${beginning}\``).join(', '),
  ]);
  return table(['Provider', 'Names that begin with'], rows);
}

function refused(): string {
  const google: readonly string[] = REFUSED_BY_GOOGLE;
  const anthropic: readonly string[] = REFUSED_BY_ANTHROPIC;
  const names = [...new Set([...anthropic, ...google])].sort();
  const mark = (list: readonly string[], name: string) => (list.includes(name) ? 'refused' : 'translated');
  const rows = names.map((name) => [`\`${name}\``, mark(anthropic, name), mark(google, name)]);
  return table(['Parameter', 'Anthropic', 'Google'], rows);
}

function errors(): string {
  return table(['Status', 'Meaning'], Object.entries(ERROR_STATUS));
}

async function metrics(): Promise<string> {
  const text = await (await assemble().service.app.request('/metrics')).text();
  const rows = [...text.matchAll(/^# HELP (thoth_\w+) (.*)\n# TYPE \w+ (\w+)$/gm)].map(
    ([, name, help, type]) => [`\`${name}\``, type ?? '', help ?? ''],
  );
  return table(['Metric', 'Type', 'What it counts'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(FILE, (await apiReference()).expected);
  process.exit(0);
}
