import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, type TestContext, test } from 'node:test';
import { type Bundle, makeBundle } from './bundle.ts';
import { ADMIN_KEY } from './data.ts';
import { freePort } from './free-port.ts';
import { Service } from './service.ts';

const PLANTED = [
  'sk-planted-openai-1',
  'planted-anthropic-2',
  'planted-google-3',
  'planted-client-4',
] as const;
const [OPENAI, ANTHROPIC, GOOGLE, CLIENT] = PLANTED;

let bundle: Bundle;
let folder: string;
before(async () => {
  bundle = await makeBundle();
  folder = mkdtempSync(join(tmpdir(), 'thoth-itg-'));
});
after(() => {
  bundle.remove();
  rmSync(folder, { recursive: true, force: true });
});

function run(
  context: TestContext,
  args: readonly string[],
  environment: Record<string, string> = {},
): Service {
  const service = new Service(bundle.file, args, environment);
  context.after(() => service.kill());
  return service;
}

/** Starts the service on a free port of loopback and waits until it listens. */
async function serve(context: TestContext, environment: Record<string, string> = {}) {
  const port = await freePort();
  const data = mkdtempSync(join(folder, 'data-'));
  const service = run(context, [], {
    HOST: '127.0.0.1',
    PORT: String(port),
    DATA_DIR: data,
    OPENAI_API_KEY: OPENAI,
    THOTH_ADMIN_KEY: ADMIN_KEY,
    ...environment,
  });
  await service.logged('listening');
  return { service, port, data, url: `http://127.0.0.1:${port}` };
}

async function json(answer: Response): Promise<Record<string, unknown>> {
  return (await answer.json()) as Record<string, unknown>;
}

describe('thoth serve', () => {
  test('answers, logs JSON, shows no secret, and stops with exit code 0', async (context) => {
    const file = join(folder, 'google');
    writeFileSync(file, `${GOOGLE}\n`);
    const { service, url } = await serve(context, {
      LOG_LEVEL: 'TRACE',
      ANTHROPIC_API_KEY: ANTHROPIC,
      GOOGLE_API_KEY_FILE: file,
    });
    const health = await fetch(`${url}/health`);
    assert.equal(health.status, 200);
    assert.equal((await json(health)).status, 'ok');
    const ready = await fetch(`${url}/ready`);
    assert.deepEqual([ready.status, await json(ready)], [200, { status: 'ready' }]);
    const headers = { authorization: `Bearer ${CLIENT}`, 'x-api-key': OPENAI };
    const lost = await fetch(`${url}/v1/${GOOGLE}?key=${CLIENT}`, { method: 'POST', headers, body: CLIENT });
    assert.equal(lost.status, 404);
    await lost.text();

    service.process.kill('SIGTERM');
    assert.equal(await service.ended(), 0);
    const seen = service.lines().map(({ msg, status }) => [msg, status]);
    assert.deepEqual(
      seen.filter(([message]) => message === 'request'),
      [
        ['request', 200],
        ['request', 200],
        ['request', 404],
      ],
    );
    assert.equal(service.stderr, '');
    for (const secret of PLANTED) assert.equal(service.stdout.includes(secret), false, service.stdout);
  });

  test('starts without a data directory and without keys: healthy, not ready, with a warning for each', async (context) => {
    const { service, url } = await serve(context, { DATA_DIR: join(folder, 'none'), OPENAI_API_KEY: '' });
    assert.equal((await fetch(`${url}/health`)).status, 200);
    const ready = await fetch(`${url}/ready`);
    assert.equal(ready.status, 503);
    const { missing } = await json(ready);
    const subjects = ['DATA_DIR', 'OPENAI_API_KEY, ANTHROPIC_API_KEY, GOOGLE_API_KEY'];
    assert.deepEqual(
      (missing as { subject: string }[]).map(({ subject }) => subject),
      subjects,
    );
    service.process.kill('SIGTERM');
    assert.equal(await service.ended(), 0);
    const warnings = service.lines().filter(({ level }) => level === 'warn');
    assert.deepEqual(
      warnings.map(({ subject }) => subject),
      subjects,
    );
  });

  test('wrong settings end it with exit code 78, every fault and its fix, no stack trace and no secret', async (context) => {
    const service = run(context, ['serve'], {
      OPENAI_API_KEY: `"${OPENAI}"`,
      ANTHROPIC_API_KEY: ANTHROPIC,
      ANTHROPIC_API_KEY_FILE: CLIENT,
      GOOGLE_API_KEY_FILE: GOOGLE,
      LOG_LEVEL: 'loud',
      PORT: '0',
    });
    assert.equal(await service.ended(), 78);
    const subjects = [...service.stderr.matchAll(/^ {2}(\w+): .+\n {4}Fix: ./gm)].map((match) => match[1]);
    assert.deepEqual(subjects.sort(), [
      'ANTHROPIC_API_KEY',
      'GOOGLE_API_KEY_FILE',
      'LOG_LEVEL',
      'OPENAI_API_KEY',
      'PORT',
    ]);
    assert.doesNotMatch(service.stderr, /\n\s+at /);
    assert.equal(service.stdout, '');
    for (const secret of PLANTED) assert.equal(service.stderr.includes(secret), false, service.stderr);
  });

  test('a Node.js without node:sqlite is told what is needed', async (context) => {
    const service = run(context, ['serve'], { NODE_OPTIONS: '--no-experimental-sqlite' });
    assert.equal(await service.ended(), 1);
    assert.match(service.stderr, /^thoth: Node\.js is too old\.\n.*needs 22\.13 or newer\n {4}Fix: .*\n$/);
  });

  test('a port in use ends it with exit code 1 and says so', async (context) => {
    const { port } = await serve(context);
    const second = run(context, ['serve'], { HOST: '127.0.0.1', PORT: String(port) });
    assert.equal(await second.ended(), 1);
    assert.match(second.stderr, new RegExp(`port ${port} on 127.0.0.1 is in use`));
    assert.match(second.stderr, /Fix: /);
    assert.doesNotMatch(second.stderr, /\n\s+at /);
  });
});

/**
 * Loaded into the service before it starts: keeps the answer to `/health?held` back until SIGUSR2, so that a
 * request is in flight for as long as a test wants.
 */
const HOLD = `
const { ServerResponse } = require('node:http');
const held = [];
let released = false;
for (const name of ['writeHead', 'end']) {
  const original = ServerResponse.prototype[name];
  ServerResponse.prototype[name] = function (...args) {
    if (released || this.req.url !== '/health?held') return original.apply(this, args);
    held.push(() => original.apply(this, args));
    return this;
  };
}
process.on('SIGUSR2', () => {
  released = true;
  for (const send of held) send();
});
`;

/** A service with a request in flight; the answer to it goes out after `release`. */
async function slowRequest(context: TestContext, environment: Record<string, string> = {}) {
  const hold = join(folder, 'hold.cjs');
  writeFileSync(hold, HOLD);
  const { service, port } = await serve(context, { ...environment, NODE_OPTIONS: `--require=${hold}` });
  const socket = connect(port, '127.0.0.1');
  context.after(() => socket.destroy());
  const answers = collect(socket);
  // Both are read in one go: when the first is answered, the second is in flight.
  socket.write('GET /health HTTP/1.1\r\nHost: a\r\n\r\nGET /health?held HTTP/1.1\r\nHost: a\r\n\r\n');
  await answers.first;
  return { service, port, answers, release: () => service.process.kill('SIGUSR2') };
}

function collect(socket: Socket) {
  let text = '';
  const first = new Promise<void>((resolve) => {
    socket.on('data', (chunk) => {
      text += String(chunk);
      resolve();
    });
  });
  const all = once(socket, 'close').then(() => text);
  return { first, all };
}

describe('stopping', () => {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    test(`${signal} lets the request in flight finish and takes no new one`, async (context) => {
      const { service, port, answers, release } = await slowRequest(context, { SHUTDOWN_SECONDS: '300' });
      service.process.kill(signal);
      assert.equal((await service.logged('stopping')).signal, signal);
      await assert.rejects(fetch(`http://127.0.0.1:${port}/health`));
      assert.equal(service.process.exitCode, null);
      release();
      assert.equal(await service.ended(), 0);
      const [, second = ''] = (await answers.all).split(/(?=HTTP\/1\.1 )/);
      assert.match(second, /^HTTP\/1\.1 200 [\s\S]*\r\nconnection: close\r\n[\s\S]*\{"status":"ok".*\}$/i);
      assert.deepEqual(
        service.lines().filter(({ level }) => level === 'warn'),
        [],
      );
    });
  }

  test('what is in flight when SHUTDOWN_SECONDS is over is cut off, said so, and the exit code is 0', async (context) => {
    const { service, answers } = await slowRequest(context, { SHUTDOWN_SECONDS: '0' });
    service.process.kill('SIGTERM');
    assert.equal((await service.logged('requests were cut off: SHUTDOWN_SECONDS is over')).requests, 1);
    assert.equal(await service.ended(), 0);
    assert.equal((await answers.all).split('HTTP/1.1 ').length - 1, 1);
  });

  test('a second signal ends it at once', async (context) => {
    const { service } = await slowRequest(context, { SHUTDOWN_SECONDS: '300' });
    service.process.kill('SIGTERM');
    await service.logged('stopping');
    service.process.kill('SIGTERM');
    assert.equal(await service.ended(), 143);
  });

  test('a connection on which nothing is asked does not hold it up', async (context) => {
    const { service, port } = await serve(context, { SHUTDOWN_SECONDS: '300' });
    const socket = connect(port, '127.0.0.1');
    context.after(() => socket.destroy());
    await once(socket, 'connect');
    service.process.kill('SIGTERM');
    assert.equal(await service.ended(), 0);
  });
});

describe('thoth healthcheck', () => {
  test('exit code 0 with a healthy service, and no output', async (context) => {
    const { port } = await serve(context);
    const check = run(context, ['healthcheck'], { PORT: String(port) });
    assert.equal(await check.ended(), 0);
    assert.equal(check.stdout + check.stderr, '');
  });

  const unhealthy: readonly [string, number | undefined, RegExp][] = [
    ['an answer other than 200', 500, /answered 500/],
    ['no answer in time', undefined, /no answer within 2 seconds/],
  ];
  for (const [name, status, text] of unhealthy) {
    test(`exit code 1: ${name}`, async (context) => {
      const server = createServer((_request, answer) => {
        if (status !== undefined) answer.writeHead(status).end();
      });
      const port = await freePort();
      server.listen(port, '127.0.0.1');
      await once(server, 'listening');
      context.after(() => server.close().closeAllConnections());
      const check = run(context, ['healthcheck'], { PORT: String(port) });
      assert.equal(await check.ended(), 1);
      assert.match(check.stderr, text);
    });
  }

  test('exit code 1: nothing listens', async (context) => {
    const check = run(context, ['healthcheck'], { PORT: String(await freePort()) });
    assert.equal(await check.ended(), 1);
    assert.match(check.stderr, /nothing listens on port \d+\n$/);
  });
});

describe('the command line', () => {
  const cases: readonly [readonly string[], number, RegExp, RegExp][] = [
    [
      ['--help'],
      0,
      /serve +run the service[\s\S]*keys create[\s\S]*version[\s\S]*Exit codes:[\s\S]* 78 /,
      /^$/,
    ],
    [['version', '--help'], 0, /--json/, /^$/],
    [['keys', '--help'], 0, /^Usage: thoth keys [\s\S]*keys create[\s\S]*keys revoke <id>/, /^$/],
    [['help', 'keys'], 0, /^Usage: thoth keys [\s\S]*keys rotate <id>/, /^$/],
    [['help', 'keys', 'list'], 0, /^Usage: thoth keys list [\s\S]*Examples:/, /^$/],
    [['--version'], 0, /^thoth 0\.0\.0-dev \(revision unknown, Node \d+\.\d+\.\d+\)\n$/, /^$/],
    [[OPENAI], 64, /^$/, /there is no such command\n {4}Fix: Run "thoth --help"/],
    [['constructor'], 64, /^$/, /there is no such command/],
    [['serve', OPENAI], 64, /^$/, /does not take one of these arguments/],
  ];
  for (const [args, code, stdout, stderr] of cases) {
    test(`thoth ${args.join(' ')}`, async (context) => {
      const command = run(context, args);
      assert.equal(await command.ended(), code);
      assert.match(command.stdout, stdout);
      assert.match(command.stderr, stderr);
      assert.equal(command.stderr.includes(OPENAI), false);
    });
  }
});
