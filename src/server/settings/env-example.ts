import { defaultOf } from './read.ts';
import { aboutSetting, SETTING_NAMES, type SettingName } from './schema.ts';

const COLUMNS = 100;

/** The text of `.env.example`: every setting with its default, and what is to be known of it. */
export function envExample(): string {
  const head = [
    '# Settings of Thoth. Copy this file to .env and fill in at least one provider key.',
    '# An empty value is the same as none. Write values without quotes.',
    `# Generated from src/server/settings/schema.ts; do not edit.`,
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

/** Where Docker puts the secret of a setting. */
export function secretPath(name: SettingName): string {
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
