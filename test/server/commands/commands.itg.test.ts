import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { envExample } from '../../../src/server/settings/env-example.ts';
import { type Bundle, makeBundle } from '../bundle.ts';
import { ADMIN_KEY, dataDirectory } from '../data.ts';
import { freePort } from '../free-port.ts';
import { client } from '../http/client.ts';
import { FakeServer, json, silence } from '../providers/fake-server.ts';
import { Service } from '../service.ts';

const KEY = 'sk-planted-openai-0123456789';

let bundle: Bundle;
before(async () => {
  bundle = await makeBundle();
});
after(() => bundle.remove());

type Environment = Readonly<Record<string, string>>;

/** Runs a command to its end. */
async function thoth(context: TestContext, args: readonly string[], environment: Environment = {}) {
  const command = new Service(bundle.file, args, environment);
  context.after(() => command.kill());
  const code = await command.ended();
  const { stdout, stderr } = command;
  return { code, stdout, stderr, json: () => JSON.parse(stdout || stderr) as Record<string, unknown> };
}

async function serve(context: TestContext, environment: Environment) {
  const port = await freePort();
  const service = new Service(bundle.file, [], {
    HOST: '127.0.0.1',
    PORT: String(port),
    THOTH_ADMIN_KEY: ADMIN_KEY,
    ...environment,
  });
  context.after(() => service.kill());
  await service.logged('listening');
  const as = (key: string) => client((path, init) => fetch(`http://127.0.0.1:${port}${path}`, init), key);
  return { service, as };
}

describe('thoth keys', () => {
  test('a running service takes notice at once of what is made, rotated and revoked', async (context) => {
    const environment = { DATA_DIR: dataDirectory() };
    const { as } = await serve(context, environment);
    const status = async (key: string) => (await as(key).get('/v1/usage')).status;
    const made = await thoth(
      context,
      ['keys', 'create', '--name', 'laptop', '--scope', 'usage'],
      environment,
    );
    assert.equal(made.code, 0);
    const key = made.stdout.trim();
    assert.match(key, /^thoth_\w+_\w+$/, 'it alone is on standard output');
    assert.match(made.stderr, /laptop; usage\) is made/);
    assert.equal(await status(key), 200);
    const rotated = await thoth(context, ['keys', 'rotate', key, '--overlap', '0', '--json'], environment);
    const { key: fresh } = rotated.json();
    assert.deepEqual([await status(key), await status(String(fresh))], [401, 200]);
    const id = key.slice(6, 18);
    assert.equal((await thoth(context, ['keys', 'revoke', id], environment)).code, 0);
    assert.equal(await status(String(fresh)), 401);
    const list = await thoth(context, ['keys', 'list'], environment);
    assert.match(list.stdout, new RegExp(`^ID .*\\n${id} +revoked +usage +none +laptop\\n$`));
    assert.equal(list.stdout.includes(key.slice(19)), false);
  });

  test('with every limit, as JSON', async (context) => {
    const limits = ['--requests-per-minute', '60', '--tokens-per-minute', '90000', '--budget', '2.5'];
    const args = [
      'keys',
      'create',
      '--name',
      'all',
      '--scope',
      'chat,admin',
      '--expires',
      '2199-01-01',
      ...limits,
      '--json',
    ];
    const { code, json } = await thoth(context, args, { DATA_DIR: dataDirectory() });
    assert.equal(code, 0);
    const { id: _, key: __, created_at: ___, ...rest } = json();
    assert.deepEqual(rest, {
      name: 'all',
      state: 'active',
      scopes: ['chat', 'admin'],
      expires_at: '2199-01-01T00:00:00.000Z',
      revoked_at: null,
      requests_per_minute: 60,
      tokens_per_minute: 90_000,
      monthly_budget_usd: 2.5,
    });
  });

  const wrong: readonly [readonly string[], number, RegExp][] = [
    [['keys'], 64, /no such command/],
    [['keys', 'create'], 64, /--name: is needed/],
    [['keys', 'create', '--name', 'n', '--scope', KEY], 64, /--scope: must be of chat/],
    [
      ['keys', 'create', '--name', 'n', '--expires', KEY, '--budget', KEY],
      64,
      /--expires: [\s\S]*--budget: must be dollars/,
    ],
    [['keys', 'create', '--name'], 64, /lacks its value/],
    [['keys', 'create', '--json=yes'], 64, /takes none/],
    [['keys', 'create', KEY], 64, /does not take one of these/],
    [['keys', 'create', `--${KEY}`], 64, /does not take one of these/],
    [['keys', 'revoke'], 64, /needs an argument more/],
    [['keys', 'revoke', KEY], 1, /no such key/],
    [['keys', 'rotate', 'x', '--overlap', KEY], 64, /--overlap: is no time/],
    [['backup'], 64, /--output is needed/],
    [['init', KEY], 64, /"compose" or "env"/],
  ];
  for (const [args, code, text] of wrong) {
    test(`thoth ${args.join(' ')}: exit code ${code}, and nothing repeats what was typed`, async (context) => {
      const ended = await thoth(context, args, { DATA_DIR: dataDirectory() });
      assert.deepEqual([ended.code, ended.stdout], [code, '']);
      assert.match(ended.stderr, text);
      assert.equal(ended.stderr.includes(KEY), false, ended.stderr);
    });
  }

  test('a data directory that is missing: exit code 74, as JSON', async (context) => {
    const { code, json } = await thoth(context, ['keys', 'list', '--json'], { DATA_DIR: '/nowhere/at/all' });
    assert.equal(code, 74);
    assert.match(JSON.stringify(json().error), /"problem":"the data directory does not exist"/);
  });
});

describe('thoth check-keys', () => {
  const openAi = (message: string, code: string | null = null) => ({
    error: { message, type: 'x', param: null, code },
  });
  const cases: readonly [string, string, Parameters<typeof FakeServer.start>[0], string, number][] = [
    ['OPENAI', 'a good key', json({ data: [] }), 'valid', 0],
    [
      'OPENAI',
      'a key that is none',
      json(openAi(`Incorrect API key provided: ${KEY}`, 'invalid_api_key'), 401),
      'invalid',
      77,
    ],
    [
      'OPENAI',
      'no quota',
      json(openAi('You exceeded your quota', 'insufficient_quota'), 429),
      'no quota',
      77,
    ],
    ['OPENAI', 'too many requests', json(openAi('Slow down', 'rate_limit_exceeded'), 429), 'valid', 0],
    ['OPENAI', 'a key that may not list', json(openAi('Missing scopes: api.model.read'), 403), 'valid', 0],
    ['OPENAI', 'a provider that fails', json({}, 503), 'unreachable', 69],
    ['OPENAI', 'what is no provider', json({}, 404), 'unreachable', 69],
    ['ANTHROPIC', 'a good key', json({ data: [], has_more: false }), 'valid', 0],
    [
      'ANTHROPIC',
      'a key that is none',
      json({ type: 'error', error: { type: 'authentication_error', message: 'invalid x-api-key' } }, 401),
      'invalid',
      77,
    ],
    ['GOOGLE', 'a good key', json({ models: [] }), 'valid', 0],
    [
      'GOOGLE',
      'a key that is none',
      json(
        {
          error: {
            code: 400,
            message: 'API key not valid. Please pass a valid API key.',
            status: 'INVALID_ARGUMENT',
          },
        },
        400,
      ),
      'invalid',
      77,
    ],
    [
      'GOOGLE',
      'a key that may nothing',
      json({ error: { code: 403, message: 'Permission denied', status: 'PERMISSION_DENIED' } }, 403),
      'invalid',
      77,
    ],
  ];
  const PATHS: Readonly<Record<string, [path: string, header: string]>> = {
    OPENAI: ['/models', 'authorization'],
    ANTHROPIC: ['/v1/models?limit=1', 'x-api-key'],
    GOOGLE: ['/v1beta/models?pageSize=1', 'x-goog-api-key'],
  };
  for (const [provider, name, reaction, state, code] of cases) {
    test(`${provider}, ${name}: ${state}`, async (context) => {
      const fake = await FakeServer.start(reaction);
      context.after(() => fake.stop());
      const environment = { [`${provider}_API_KEY`]: KEY, [`${provider}_BASE_URL`]: fake.url };
      const ended = await thoth(context, ['check-keys', '--json'], environment);
      assert.equal(ended.code, code, ended.stderr);
      const { keys } = ended.json() as { keys: { provider: string; state: string }[] };
      assert.deepEqual(
        keys.map((key) => [key.provider, key.state]),
        [[provider.toLowerCase(), state]],
      );
      assert.equal((ended.stdout + ended.stderr).includes(KEY), false);
      const [path = '', header = ''] = PATHS[provider] ?? [];
      assert.deepEqual([fake.last.method, fake.last.path, fake.asked.length], ['GET', path, 1]);
      assert.match(String(fake.last.headers[header]), new RegExp(`${KEY}$`));
    });
  }

  test('all at once; a key that is refused counts for more than a provider that is away', async (context) => {
    const [good, bad] = [await FakeServer.start(json({ data: [] })), await FakeServer.start(json({}, 401))];
    for (const fake of [good, bad]) context.after(() => fake.stop());
    const { code, stdout } = await thoth(context, ['check-keys'], {
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: good.url,
      ANTHROPIC_API_KEY: KEY,
      ANTHROPIC_BASE_URL: bad.url,
      GOOGLE_API_KEY: KEY,
      GOOGLE_BASE_URL: `http://127.0.0.1:${await freePort()}`,
    });
    assert.equal(code, 77);
    assert.equal(
      stdout,
      'openai: valid (it was accepted)\nanthropic: invalid (it answered 401)\ngoogle: unreachable (it can not be reached)\n',
    );
  });

  test('no answer in time is unreachable', async (context) => {
    const fake = await FakeServer.start(silence);
    context.after(() => fake.stop());
    const { code, stdout } = await thoth(context, ['check-keys'], {
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: fake.url,
      UPSTREAM_FIRST_BYTE_SECONDS: '1',
    });
    assert.deepEqual([code, stdout], [69, 'openai: unreachable (it did not answer in time)\n']);
  });

  test('without a key: exit code 78', async (context) => {
    assert.equal((await thoth(context, ['check-keys'])).code, 78);
  });
});

describe('thoth init', () => {
  test('compose is the project’s own file, env its example', async (context) => {
    const compose = readFileSync(new URL('../../../docker-compose.yml', import.meta.url), 'utf8');
    assert.equal((await thoth(context, ['init', 'compose'])).stdout, compose);
    assert.equal((await thoth(context, ['init', 'env'])).stdout, envExample());
    const { file, text } = (await thoth(context, ['init', 'env', '--json'])).json();
    assert.deepEqual([file, text], ['.env', envExample()]);
  });
});

describe('thoth doctor', () => {
  test('all is well, and no secret is shown', async (context) => {
    const fake = await FakeServer.start(json({ data: [] }));
    context.after(() => fake.stop());
    const environment = {
      DATA_DIR: dataDirectory(),
      OPENAI_API_KEY: KEY,
      OPENAI_BASE_URL: fake.url,
      THOTH_ADMIN_KEY: ADMIN_KEY,
      MODEL_ALIASES: 'fast=openai/gpt-4o-mini',
    };
    const { as } = await serve(context, environment);
    await as(ADMIN_KEY).post('/v1/keys', { name: 'one' });
    const { code, stdout } = await thoth(context, ['doctor', '--json'], environment);
    assert.equal(code, 0, stdout);
    for (const secret of [KEY, ADMIN_KEY]) assert.equal(stdout.includes(secret), false);
    const report = JSON.parse(stdout);
    assert.deepEqual(report.settings.OPENAI_API_KEY, '[secret]');
    assert.deepEqual(report.settings.MODEL_ALIASES, { fast: ['openai/gpt-4o-mini'] });
    const details = Object.fromEntries(
      report.findings.map(({ subject, detail }: { subject: string; detail: string }) => [subject, detail]),
    );
    assert.match(details.service, /it runs/);
    assert.match(details.database, /^schema \d of \d, 0 MiB, sound$/);
    assert.match(details.keys, /^1 client keys/);
    assert.match(details.openai, /^valid/);
  });

  const broken: readonly [string, (data: string) => Environment, RegExp][] = [
    ['a wrong setting', () => ({ PORT: KEY }), /FAIL {2}PORT: must be a whole number/],
    [
      'no data directory',
      (data) => ({ DATA_DIR: join(data, 'none') }),
      /FAIL {2}DATA_DIR: the data directory does not exist/,
    ],
    [
      'a damaged database',
      (data) => {
        mkdirSync(join(data, 'store'));
        writeFileSync(join(data, 'store/thoth.db'), 'no database'.repeat(1000));
        return {};
      },
      /FAIL {2}DATA_DIR, its database: is no database of Thoth\n {6}Fix: Restore a backup/,
    ],
  ];
  for (const [name, spoil, text] of broken) {
    test(`exit code 1: ${name}`, async (context) => {
      const data = dataDirectory();
      const { code, stdout } = await thoth(context, ['doctor', '--offline'], {
        DATA_DIR: data,
        ...spoil(data),
      });
      assert.equal(code, 1);
      assert.match(stdout, text);
      assert.equal(stdout.includes(KEY), false);
    });
  }

  test('exit code 1: no provider key', async (context) => {
    const { code, stdout } = await thoth(context, ['doctor'], { DATA_DIR: dataDirectory() });
    assert.equal(code, 1);
    assert.match(stdout, /FAIL {2}providers: no provider key is given\n {6}Fix: Set OPENAI_API_KEY/);
  });
});

test('every command has a help of its own, with its options and examples', async (context) => {
  const { stdout } = await thoth(context, ['--help']);
  const commands = [...stdout.matchAll(/^ {2}([a-z-]+(?: [a-z]+)?)(?: <\w+>)? {2,}\S/gm)].map(
    ([, name = '']) => name,
  );
  assert.ok(commands.length >= 12, stdout);
  for (const name of commands) {
    const help = await thoth(context, [...name.split(' '), '--help']);
    assert.equal(help.code, 0, name);
    assert.match(
      help.stdout,
      new RegExp(`^Usage: thoth ${name} \\[options\\][\\s\\S]*--json[\\s\\S]*Examples:\\n {2}thoth ${name}`),
    );
  }
});

test('healthcheck as JSON', async (context) => {
  const { code, json } = await thoth(context, ['healthcheck', '--json'], { PORT: String(await freePort()) });
  assert.equal(code, 1);
  assert.equal(json().healthy, false);
});
