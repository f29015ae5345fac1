// Writes .env.example, docs/SETTINGS.md and the table in docs/DOCKERHUB.md from the schema: node --import tsx src/server/settings/document.ts
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MEANING } from '../exit.ts';
import { envExample, secretPath } from './env-example.ts';
import { defaultOf } from './read.ts';
import { aboutSetting, SETTING_NAMES } from './schema.ts';

const PROJECT = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');
const SOURCE = 'src/server/settings/schema.ts';
const COMMAND = 'node --import tsx src/server/settings/document.ts';
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

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, text] of Object.entries(documents())) {
    const file = resolve(PROJECT, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    process.stdout.write(`wrote ${path}\n`);
  }
}
