import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { Failure } from '../../src/server/failure.ts';
import { documents } from '../../src/server/settings/document.ts';
import { type Environment, readSetting, readSettings } from '../../src/server/settings/read.ts';
import { aboutSetting, SETTING_NAMES, type SettingName } from '../../src/server/settings/schema.ts';
import { Secret } from '../../src/server/settings/secret.ts';

const KEY = 'sk-planted-0123456789';
const folder = mkdtempSync(join(tmpdir(), 'thoth-settings-'));
after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string | Buffer): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
mkdirSync(join(folder, 'directory'));

/** The settings as plain values, secrets revealed. */
function plain(environment: Environment): Record<string, unknown> {
  const entries = Object.entries(readSettings(environment));
  return Object.fromEntries(
    entries.map(([name, value]) => [name, value instanceof Secret ? value.reveal() : value]),
  );
}

function failureOf(environment: Environment): Failure {
  try {
    readSettings(environment);
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'no fault was found' });
}

describe('values that are taken', () => {
  const cases: readonly [string, Environment, Record<string, unknown>][] = [
    [
      'nothing given: the defaults',
      {},
      { LOG_LEVEL: 'info', HOST: '0.0.0.0', PORT: 8000, DATA_DIR: '/app/data', SHUTDOWN_SECONDS: 10 },
    ],
    ['empty is absent', { PORT: '', LOG_LEVEL: ' ', OPENAI_API_KEY: '' }, { PORT: 8000, LOG_LEVEL: 'info' }],
    [
      'CRLF and spaces around a value',
      { PORT: ' 9000\r\n', DATA_DIR: '/d\r' },
      { PORT: 9000, DATA_DIR: '/d' },
    ],
    ['a level in any case', { LOG_LEVEL: 'INFO' }, { LOG_LEVEL: 'info' }],
    ['a level in mixed case', { LOG_LEVEL: 'Warn' }, { LOG_LEVEL: 'warn' }],
    ['the lowest port', { PORT: '1' }, { PORT: 1 }],
    ['the highest port', { PORT: '65535' }, { PORT: 65_535 }],
    ['no time to finish', { SHUTDOWN_SECONDS: '0' }, { SHUTDOWN_SECONDS: 0 }],
    ['an IPv6 address', { HOST: '::' }, { HOST: '::' }],
    ['localhost', { HOST: 'localhost' }, { HOST: 'localhost' }],
    ['a key', { OPENAI_API_KEY: KEY }, { OPENAI_API_KEY: KEY }],
    ['a key from a file', { GOOGLE_API_KEY_FILE: file('key', `${KEY}\n`) }, { GOOGLE_API_KEY: KEY }],
    [
      'a key from a file written on Windows',
      { ANTHROPIC_API_KEY_FILE: file('bom', `\uFEFF${KEY}\r\n\r\n`) },
      { ANTHROPIC_API_KEY: KEY },
    ],
    [
      'a URL without the slash at its end',
      { OPENAI_BASE_URL: 'http://a:1/v1/' },
      { OPENAI_BASE_URL: 'http://a:1/v1' },
    ],
    [
      'names for models',
      { MODEL_ALIASES: 'fast=gpt-4o , smart = openai/o3' },
      {
        MODEL_ALIASES: new Map([
          ['fast', ['gpt-4o']],
          ['smart', ['openai/o3']],
        ]),
      },
    ],
    [
      'models that stand in',
      { MODEL_FALLBACKS: 'gpt-4o=claude-x + google/g' },
      { MODEL_FALLBACKS: new Map([['gpt-4o', ['claude-x', 'google/g']]]) },
    ],
    ['networks', { TRUSTED_PROXIES: '10.0.0.0/8, ::1' }, { TRUSTED_PROXIES: ['10.0.0.0/8', '::1'] }],
    ['origins', { CORS_ORIGINS: 'https://a.example' }, { CORS_ORIGINS: ['https://a.example'] }],
    [
      'HTTPS behind a proxy',
      { PUBLIC_URL: 'https://a.example/', TRUSTED_PROXIES: '10.0.0.1' },
      { PUBLIC_URL: 'https://a.example' },
    ],
    [
      'a key with an empty *_FILE beside it',
      { OPENAI_API_KEY: KEY, OPENAI_API_KEY_FILE: '' },
      { OPENAI_API_KEY: KEY },
    ],
  ];
  for (const [name, environment, expected] of cases) {
    test(name, () => {
      const settings = plain(environment);
      assert.deepEqual({ ...settings, ...expected }, settings);
    });
  }
});

describe('faults', () => {
  const missing = join(folder, 'missing');
  const cases: readonly [string, Environment, readonly [subject: string, problem: RegExp][]][] = [
    ['a port too high', { PORT: '65536' }, [['PORT', /from 1 to 65535/]]],
    ['port 0', { PORT: '0' }, [['PORT', /from 1/]]],
    ['a port with an exponent', { PORT: '8e3' }, [['PORT', /whole number/]]],
    ['a negative port', { PORT: '-1' }, [['PORT', /whole number/]]],
    ['a port of Arabic digits', { PORT: '٨٠٠٠' }, [['PORT', /whole number/]]],
    ['an unknown level', { LOG_LEVEL: 'verbose' }, [['LOG_LEVEL', /one of trace, debug, info/]]],
    ['a host name', { HOST: 'example.com' }, [['HOST', /IPv4 or IPv6/]]],
    ['a relative directory', { DATA_DIR: 'data' }, [['DATA_DIR', /absolute/]]],
    ['too long to wait', { SHUTDOWN_SECONDS: '3601' }, [['SHUTDOWN_SECONDS', /from 0 to 3600/]]],
    ['a key in quotes', { OPENAI_API_KEY: `"${KEY}"` }, [['OPENAI_API_KEY', /no quotes/]]],
    [
      'a key with a line break inside',
      { OPENAI_API_KEY: `${KEY}\n${KEY}` },
      [['OPENAI_API_KEY', /line breaks/]],
    ],
    ['the placeholder', { OPENAI_API_KEY: 'sk-...' }, [['OPENAI_API_KEY', /an example/]]],
    ['a key too long', { OPENAI_API_KEY: 'k'.repeat(1001) }, [['OPENAI_API_KEY', /key alone/]]],
    [
      'both a key and its file',
      { OPENAI_API_KEY: KEY, OPENAI_API_KEY_FILE: file('both', KEY) },
      [['OPENAI_API_KEY', /given twice/]],
    ],
    ['no such file', { OPENAI_API_KEY_FILE: missing }, [['OPENAI_API_KEY_FILE', /does not exist/]]],
    ['a key in place of a path', { OPENAI_API_KEY_FILE: KEY }, [['OPENAI_API_KEY_FILE', /does not exist/]]],
    ['an empty file', { OPENAI_API_KEY_FILE: file('empty', '\n \r\n') }, [['OPENAI_API_KEY_FILE', /empty/]]],
    [
      'a directory',
      { OPENAI_API_KEY_FILE: join(folder, 'directory') },
      [['OPENAI_API_KEY_FILE', /regular file/]],
    ],
    [
      'a file too large',
      { OPENAI_API_KEY_FILE: file('large', 'k'.repeat(70_000)) },
      [['OPENAI_API_KEY_FILE', /too large/]],
    ],
    [
      'a file in UTF-16, as PowerShell writes it',
      { OPENAI_API_KEY_FILE: file('utf16', Buffer.from(`\uFEFF${KEY}`, 'utf16le')) },
      [['OPENAI_API_KEY_FILE', /key alone/]],
    ],
    ['a URL with a user', { OPENAI_BASE_URL: 'https://a:b@c' }, [['OPENAI_BASE_URL', /without user/]]],
    ['a URL with a query', { GOOGLE_BASE_URL: 'https://c?key=x' }, [['GOOGLE_BASE_URL', /without user/]]],
    [
      'a URL of another kind',
      { ANTHROPIC_BASE_URL: 'file:///etc' },
      [['ANTHROPIC_BASE_URL', /http: or https:/]],
    ],
    ['an alias of a model of nobody', { MODEL_ALIASES: 'a=llama' }, [['MODEL_ALIASES', /must be like/]]],
    ['an alias of two models', { MODEL_ALIASES: 'a=gpt-4o+gpt-4' }, [['MODEL_ALIASES', /must be like/]]],
    ['an alias without a name', { MODEL_ALIASES: '=gpt-4o' }, [['MODEL_ALIASES', /must be like/]]],
    ['an alias twice over', { MODEL_ALIASES: 'a=b=gpt-4o' }, [['MODEL_ALIASES', /must be like/]]],
    ['a stand-in of nobody', { MODEL_FALLBACKS: 'a=gpt-4o+' }, [['MODEL_FALLBACKS', /must be like/]]],
    ['any origin', { CORS_ORIGINS: '*' }, [['CORS_ORIGINS', /origins like/]]],
    ['an origin with a path', { CORS_ORIGINS: 'https://a.example/x' }, [['CORS_ORIGINS', /origins like/]]],
    ['a public URL with a path', { PUBLIC_URL: 'https://a.example/x' }, [['PUBLIC_URL', /must be like/]]],
    ['a network too wide', { TRUSTED_PROXIES: '10.0.0.0/33' }, [['TRUSTED_PROXIES', /networks like/]]],
    ['a proxy by name', { TRUSTED_PROXIES: 'caddy' }, [['TRUSTED_PROXIES', /networks like/]]],
    ['HTTPS without a proxy', { PUBLIC_URL: 'https://a.example' }, [['TRUSTED_PROXIES', /is needed where/]]],
    [
      'everything at once',
      {
        OPENAI_API_KEY: `'${KEY}'`,
        ANTHROPIC_API_KEY_FILE: missing,
        LOG_LEVEL: 'loud',
        HOST: 'nowhere',
        PORT: 'eight',
        DATA_DIR: '.',
        SHUTDOWN_SECONDS: 'soon',
      },
      [
        ['ANTHROPIC_API_KEY_FILE', /does not exist/],
        ['DATA_DIR', /./],
        ['HOST', /./],
        ['LOG_LEVEL', /./],
        ['OPENAI_API_KEY', /./],
        ['PORT', /./],
        ['SHUTDOWN_SECONDS', /./],
      ],
    ],
  ];
  for (const [name, environment, expected] of cases) {
    test(name, () => {
      const failure = failureOf(environment);
      assert.equal(failure.exitCode, 78);
      const faults = [...failure.faults].sort((a, b) => (a.subject < b.subject ? -1 : 1));
      assert.deepEqual(
        faults.map((fault) => fault.subject),
        expected.map(([subject]) => subject),
      );
      for (const [index, [, problem]] of expected.entries()) {
        assert.match(faults[index]?.problem ?? '', problem);
        assert.notEqual(faults[index]?.fix, '');
      }
    });
  }

  test('no fault repeats a value that was given', () => {
    const mark = 'PLANTED';
    const marked = fc.string().map((text) => `${text}${mark}${text}`);
    const names = [...SETTING_NAMES, ...SETTING_NAMES.map((name) => `${name}_FILE`)];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), marked), marked, (environment, port) => {
        const failure = failureOf({ ...environment, PORT: port });
        assert.equal(failure.describe().includes(mark), false, failure.describe());
      }),
    );
  });
});

test('a secret shows its value to reveal() alone', () => {
  const secret = new Secret(KEY);
  assert.equal(secret.reveal(), KEY);
  for (const text of [`${secret}`, JSON.stringify({ secret }), inspect({ secret }, { showHidden: true })]) {
    assert.equal(text.includes(KEY), false, text);
    assert.match(text, /\[secret\]/);
  }
});

describe('documentation', () => {
  test('every setting has a description, an example and a rule; examples that are no placeholder are valid', () => {
    for (const name of SETTING_NAMES) {
      const { description, example, rule, secret } = aboutSetting(name);
      for (const text of [description, example, rule]) assert.notEqual(text, '', name);
      if (!secret) readSetting({ [name]: example }, name);
    }
  });

  for (const [path, text] of Object.entries(documents())) {
    test(`${path} is what the schema generates`, () => {
      const stored = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
      assert.equal(stored, text, 'run: node --import tsx src/server/settings/document.ts');
    });
  }

  test('.env.example, taken as it is, sets every setting and is valid', () => {
    const lines = (documents()['.env.example'] ?? '').split('\n').filter((line) => /^[A-Z]/.test(line));
    const environment = Object.fromEntries(lines.map((line) => line.split('=', 2) as [SettingName, string]));
    assert.deepEqual(Object.keys(environment), SETTING_NAMES);
    assert.deepEqual(plain(environment), plain({}));
  });
});
