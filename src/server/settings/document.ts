// Writes .env.example, docs/SETTINGS.md and the table in docs/DOCKERHUB.md from the schema: node --import tsx src/server/settings/document.ts
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MEANING } from '../exit.ts';
import { defaultOf } from './read.ts';
import { aboutSetting, SETTING_NAMES, type SettingName } from './schema.ts';

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const SOURCE = 'src/server/settings/schema.ts';
const COMMAND = 'node --import tsx src/server/settings/document.ts';
const COLUMNS = 100;
/** What stands around the table in a page that is written by hand. */
const TABLE = /(<!-- settings\b[^>]*-->\n)[\s\S]*?(<!-- end -->)/;

/** The text of every generated file, by its path in the project. */
export function documents(): Readonly<Record<string, string>> {
  const hub = 'docs/DOCKERHUB.md';
  const written = readFileSync(resolve(PROJECT, hub), 'utf8');
  return {
    '.env.example': envExample(),
    'docs/SETTINGS.md': settingsPage(),
    [hub]: written.replace(TABLE, (_, begin, end) => `${begin}${settingsList()}\n${end}`),
  };
}

function envExample(): string {
  const head = [
    '# Settings of Thoth. Copy this file to .env and fill in at least one provider key.',
    '# An empty value is the same as none. Write values without quotes.',
    `# Generated from ${SOURCE}; do not edit.`,
  ].join('\n');
  return `${[head, ...SETTING_NAMES.map(envEntry)].join('\n\n')}\n`;
}

function envEntry(name: SettingName): string {
  const { description, example, rule, secret } = aboutSetting(name);
  const texts = secret
    ? [description, `Example: ${example}`]
    : [description, `It ${rule}. Example: ${example}`];
  const lines = texts.flatMap((text) => wrap(text, COLUMNS - 2)).map((line) => `# ${line}`);
  if (secret) {
    lines.push(
      '# Or the path of a file that holds it, such as a Docker secret:',
      `# ${name}_FILE=${secretPath(name)}`,
    );
  }
  return [...lines, `${name}=${defaultOf(name) ?? ''}`].join('\n');
}

/** The settings in brief: a `*_FILE` is told of once for all. */
function settingsList(): string {
  const rows = SETTING_NAMES.map((name) => [
    code(name),
    code(defaultOf(name)),
    aboutSetting(name).description,
  ]);
  return `${table(['Setting', 'Default', 'What it does'], rows)}

Each key can also be in a file, such as a Docker secret: \`OPENAI_API_KEY_FILE=/run/secrets/openai_api_key\`.`;
}

function settingsPage(): string {
  const settings = SETTING_NAMES.flatMap((name) => {
    const { description, example, rule, secret } = aboutSetting(name);
    const own = [
      code(name),
      code(defaultOf(name)),
      code(example),
      secret ? description : `${description} It ${rule}.`,
    ];
    const file = [
      code(`${name}_FILE`),
      '',
      code(secretPath(name)),
      `A file that holds ${code(name)}, such as a Docker secret. Give one of the two, not both.`,
    ];
    return secret ? [own, file] : [own];
  });
  return `# Settings

<!-- Generated from ${SOURCE} by "${COMMAND}"; do not edit. -->

Thoth is set up by environment variables alone. They are read and checked once, at the start; if any is
wrong, every fault is listed on standard error with its fix and the exit code is 78. White space around a
value is dropped, and an empty value is the same as none.

${table(['Setting', 'Default', 'Example', 'What it does'], settings)}

Secrets are never logged. A \`*_FILE\` may hold white space and line breaks around the key.

## Exit codes

${table(
  ['Code', 'Meaning'],
  Object.entries(MEANING).map(([exit, meaning]) => [exit, meaning]),
)}
`;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function code(text: string | undefined): string {
  return text === undefined ? '' : `\`${text}\``;
}

function secretPath(name: SettingName): string {
  return `/run/secrets/${name.toLowerCase()}`;
}

function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(documents())) {
    const file = resolve(PROJECT, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    process.stdout.write(`wrote ${path}\n`);
  }
}
