import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { execa } from 'execa';
import { Agent, fetch, type RequestInit } from 'undici';
import { z } from 'zod';
import { freePort } from '../../src/release/machine/port.ts';
import { chatEvents, startOpenAi } from '../server/providers/fake-openai.ts';
import { eventsThenSilence, type FakeServer, json } from '../server/providers/fake-server.ts';
import { dashboardQueries } from './dashboard.ts';
import { Installation } from './installation.ts';
import { Machine } from './machine.ts';
import { importStandIn, programOf } from './stand-in-image.ts';
import { waitFor } from './wait.ts';

const PROVIDER_KEY = 'sk-planted-0123456789';
const ADMIN_KEY = randomBytes(32).toString('hex');
const FILES = ['docker-compose.yml', 'deploy/compose/https.yml', 'deploy/compose/monitoring.yml'];
/** Grafana can't be had here: it is in no registry of packages. */
const WITHOUT_GRAFANA = 'services:\n  grafana:\n    profiles: [grafana]\n';
const CHAT = { model: 'openai/gpt-4o', messages: [{ role: 'user', content: 'Hi' }] };

let machine: Machine;
let here: Installation;
let provider: FakeServer;
let client: Agent;
let httpPort: number;
let httpsPort: number;

/** Installs Thoth, and adds the overlays as docs/DEPLOYMENT.md says: by settings in .env, then configure.sh. */
before(async () => {
  machine = await Machine.start();
  provider = await startOpenAi('0.0.0.0');
  here = await Installation.at(machine);
  const installed = await here.install([], { env: { OPENAI_API_KEY: PROVIDER_KEY } });
  assert.equal(installed.code, 0, installed.text);
  httpPort = await freePort();
  httpsPort = await freePort();
  await writeFile(join(here.dir, 'without-grafana.yml'), WITHOUT_GRAFANA);
  const settings = {
    COMPOSE_FILE: [...FILES, 'without-grafana.yml'].join(':'),
    THOTH_DOMAIN: 'localhost',
    THOTH_TLS: 'internal',
    THOTH_HTTP_PORT: httpPort,
    THOTH_HTTPS_PORT: httpsPort,
    PUBLIC_URL: `https://localhost:${httpsPort}`,
    THOTH_ADMIN_KEY: ADMIN_KEY,
    GRAFANA_PASSWORD: 'planted',
    OPENAI_BASE_URL: `http://${await here.gateway()}:${provider.port}/v1`,
    UPSTREAM_RETRIES: 0,
    // Longer than any test: it is not by this that Thoth leaves a provider.
    UPSTREAM_IDLE_SECONDS: 3600,
    THOTH_CADDY_IMAGE: await importStandIn(machine, 'mirror.invalid/caddy:here', {
      programs: { '/usr/bin/caddy': await programOf('caddy') },
      privileged: ['/usr/bin/caddy'],
      folders: { '/config/caddy': '0:0', '/data/caddy': '0:0' },
      config: ['ENV XDG_CONFIG_HOME=/config', 'ENV XDG_DATA_HOME=/data', 'WORKDIR /srv'],
    }),
    THOTH_PROMETHEUS_IMAGE: await importStandIn(machine, 'mirror.invalid/prometheus:here', {
      programs: { '/bin/prometheus': await programOf('prometheus') },
      folders: { '/prometheus': '65534:65534' },
      config: ['ENTRYPOINT ["/bin/prometheus"]', 'USER 65534:65534', 'WORKDIR /prometheus'],
    }),
  };
  for (const [name, value] of Object.entries(settings)) await here.set(name, String(value));
  // So that nobody has to wait for two scrapes.
  const config = join(here.dir, 'deploy/compose/prometheus/prometheus.yml');
  await writeFile(config, (await readFile(config, 'utf8')).replaceAll('15s', '1s'));
  const configured = await here.script('configure', ['--non-interactive', '--skip-key-check']);
  assert.equal(configured.code, 0, configured.text);
  client = new Agent({ connect: { ca: await authority() } });
});
after(async () => {
  await client?.close();
  await provider?.stop();
  await machine?.stop();
});
beforeEach(() => provider.reset());

/** Caddy's own authority, as a user takes it to put it on other machines. */
async function authority(): Promise<string> {
  const path = '/data/caddy/pki/authorities/local/root.crt';
  return waitFor(async () => {
    const target = join(here.dir, 'root.crt');
    await machine.docker('cp', `${here.project}-caddy-1:${path}`, target);
    return readFile(target, 'utf8');
  });
}

/** Asks through Caddy, by HTTPS. */
function ask(path: string, init: RequestInit = {}) {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, ...init.headers };
  return fetch(`https://localhost:${httpsPort}${path}`, { ...init, headers, dispatcher: client });
}

function post(path: string, body: object, init: RequestInit = {}) {
  const headers = { 'content-type': 'application/json' };
  return ask(path, { method: 'POST', body: JSON.stringify(body), headers, ...init });
}

const LogLine = z.object({ path: z.string().default(''), client: z.string().default('') });

/** Whose address the service's log has for a path. */
function clientOf(path: string): Promise<string> {
  return waitFor(async () => {
    const lines = (await machine.written(`${here.project}-thoth-1`)).split('\n');
    const line = lines.find((text) => text.startsWith('{') && text.includes(path));
    return LogLine.parse(JSON.parse(line ?? '')).client;
  });
}

function connects(host: string, port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host, port, timeout: 3_000 });
    const end = (open: boolean) => {
      socket.destroy();
      done(open);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}

describe('https.yml, with Caddy', () => {
  test('there is a certificate of its own authority for the name, and HSTS is sent', async () => {
    const answer = await ask('/health');
    assert.equal(answer.status, 200);
    assert.match(answer.headers.get('strict-transport-security') ?? '', /^max-age=\d{8}/);
    const ca = await authority();
    const socket = connectTls({ host: '127.0.0.1', port: httpsPort, servername: 'localhost', ca });
    await new Promise((done, failed) => socket.once('secureConnect', done).once('error', failed));
    assert.equal(socket.getPeerCertificate().subjectaltname, 'DNS:localhost');
    socket.destroy();
    await assert.rejects(fetch(`https://localhost:${httpsPort}/health`), /fetch failed/);
  });

  test('by HTTP, pages are sent to HTTPS, and the API is refused before a provider is asked', async () => {
    const http = `http://localhost:${httpPort}`;
    const page = await fetch(`${http}/docs?a=b`, { redirect: 'manual' });
    assert.equal(page.status, 308);
    assert.equal(page.headers.get('location'), `https://localhost:${httpsPort}/docs?a=b`);
    const api = await fetch(`${http}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'x-forwarded-proto': 'https' },
      body: JSON.stringify(CHAT),
    });
    assert.equal(api.status, 403);
    assert.match(await api.text(), /"https_required"/);
    assert.equal(provider.asked.length, 0);
  });

  test('HTTP/3 is announced at the port of this machine', async () => {
    assert.match((await ask('/health')).headers.get('alt-svc') ?? '', new RegExp(`^h3=":${httpsPort}"`));
  });

  test('a stream goes on as it comes', async () => {
    let goOn = () => {};
    const [first = '', ...rest] = chatEvents({});
    provider.next(async (_asked, reply) => {
      reply.writeHead(200, { 'content-type': 'text/event-stream' }).write(first);
      await new Promise<void>((done) => {
        goOn = done;
      });
      reply.end(rest.join(''));
    });
    const { body } = await post('/v1/chat/completions', { ...CHAT, stream: true });
    let text = '';
    for await (const chunk of body ?? []) {
      text += Buffer.from(chunk).toString();
      goOn();
    }
    assert.match(text, /"Hel".*\[DONE\]/s);
  });

  test('a client that leaves takes its request from the provider, too', { timeout: 30_000 }, async () => {
    const [first = '', second = ''] = chatEvents({});
    provider.next(eventsThenSilence([first, second]));
    const leaving = new AbortController();
    const { body } = await post(
      '/v1/chat/completions',
      { ...CHAT, stream: true },
      { signal: leaving.signal },
    );
    await assert.rejects(async () => {
      for await (const _chunk of body ?? []) leaving.abort();
    }, /abort/i);
    assert.equal(await provider.last.left, true);
  });

  test('the log has the address that Caddy saw, whatever a client says of itself', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.7', 'x-real-ip': '203.0.113.7' };
    await ask('/from-this-machine', { headers: forwarded });
    assert.equal(await clientOf('/from-this-machine'), await here.gateway());

    const code = `const options = { host: 'caddy', port: ${httpsPort}, servername: 'localhost', path: '/from-another',
      headers: ${JSON.stringify({ ...forwarded, host: 'localhost' })}, rejectUnauthorized: false };
      require('https').get(options, (answer) => { console.log(answer.socket.localAddress); answer.resume(); });`;
    const image = await machine.docker('inspect', '--format', '{{.Image}}', await here.containerId());
    const network = ['--network', `${here.project}_network`, '--entrypoint', '/nodejs/bin/node'];
    const address = await machine.docker('run', '--rm', ...network, image, '-e', code);
    assert.notEqual(address, await machine.addressOf(`${here.project}-caddy-1`));
    assert.equal(await clientOf('/from-another'), address);
  });

  test('nobody reads the metrics through it', async () => {
    for (const path of ['/metrics', '/metrics/', '//metrics', '/METRICS', '/%6Detrics']) {
      const answer = await ask(path);
      assert.equal(answer.status, 404, path);
      assert.doesNotMatch(await answer.text(), /thoth_requests_total/, path);
    }
  });

  test('other machines reach Caddy, and Thoth not past it', async () => {
    const address = await here.gateway();
    assert.equal(await connects(address, httpsPort), true);
    assert.equal(await connects(address, here.port), false);
    assert.equal(await connects('127.0.0.1', here.port), true);
  });

  test('what is set where nothing is said can be used: a certificate by ACME, ports 80 and 443', async () => {
    const env = { THOTH_DOMAIN: 'thoth.example.org', THOTH_TLS: 'acme', THOTH_HTTPS_PORT: '443' };
    const config = join(here.dir, 'deploy/compose/caddy/Caddyfile');
    const caddy = await programOf('caddy');
    const { all, exitCode } = await execa(caddy, ['validate', '--config', config], {
      env: { ...env, HOME: here.dir, XDG_DATA_HOME: here.dir },
      extendEnv: false,
      reject: false,
      all: true,
    });
    assert.equal(exitCode, 0, all);
  });
});

test('a service of an overlay that ends again and again is told, with its last words', async () => {
  await here.set('THOTH_TLS', 'nonsense');
  const broken = await here.script('configure', ['--non-interactive', '--skip-key-check']);
  assert.equal(broken.code, 3, broken.text);
  assert.match(
    broken.text,
    /tls\.issuance\.nonsense.*Thoth runs, and beside it \S+-caddy-1 ends again and again\./s,
  );
  await here.set('THOTH_TLS', 'internal');
  const mended = await here.script('configure', ['--non-interactive', '--skip-key-check']);
  assert.equal(mended.code, 0, mended.text);
  await waitFor(() => ask('/health'));
});

const Rules = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        rules: z.array(z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() })),
      }),
    ),
  }),
});
const Targets = z.object({
  data: z.object({ activeTargets: z.array(z.object({ health: z.string(), lastError: z.string() })) }),
});
const Answer = z.object({ status: z.literal('success'), data: z.object({ result: z.array(z.unknown()) }) });

describe('monitoring.yml, with Prometheus', () => {
  /** What Prometheus says, as Grafana would hear it. */
  async function say(path: string): Promise<unknown> {
    const address = await machine.addressOf(`${here.project}-prometheus-1`);
    return (await fetch(`http://${address}:9090/api/v1/${path}`)).json();
  }

  test('it reads Thoth, and knows every alert', async () => {
    await waitFor(async () => {
      const { activeTargets } = Targets.parse(await say('targets')).data;
      assert.deepEqual(activeTargets, [{ health: 'up', lastError: '' }]);
    });
    await waitFor(async () => {
      const rules = Rules.parse(await say('rules')).data.groups.flatMap((group) => group.rules);
      assert.deepEqual(
        rules.map(({ name, health }) => `${name}: ${health}`),
        ['ThothIsDown: ok', 'ProviderIsLeftAlone: ok', 'ManyRequestsFail: ok', 'RequestsWait: ok'],
      );
    });
  });

  test('every query of the dashboard has an answer, after some traffic', async () => {
    const queries = await dashboardQueries();
    assert.ok(queries.length > 14);
    await waitFor(async () => {
      assert.equal((await post('/v1/chat/completions', CHAT)).status, 200);
      const stream = await post('/v1/chat/completions', { ...CHAT, stream: true });
      assert.match(await stream.text(), /\[DONE\]/);
      provider.next(json({ error: { message: 'planted' } }, 500));
      assert.ok((await post('/v1/chat/completions', CHAT)).status >= 500);
      const silent: string[] = [];
      for (const query of queries) {
        const { data } = Answer.parse(await say(`query?query=${encodeURIComponent(query)}`));
        if (data.result.length === 0) silent.push(query);
      }
      assert.deepEqual(silent, []);
    });
  });
});

describe('secrets.yml', () => {
  const SECRETS = [PROVIDER_KEY, ADMIN_KEY];

  test('after secrets.sh it runs from files alone, and no secret is anywhere else', async () => {
    const moved = await here.script('secrets');
    assert.equal(moved.code, 0, moved.text);
    assert.match(moved.text, /^Moved to secrets\/files: OPENAI_API_KEY THOTH_ADMIN_KEY$/m);
    assert.equal((await post('/v1/chat/completions', CHAT)).status, 200);
    assert.equal(provider.last.headers.authorization, `Bearer ${PROVIDER_KEY}`);

    const places = {
      ...(await here.exposure('thoth')),
      '.env': await readFile(join(here.dir, '.env'), 'utf8'),
      'log of the scripts': await here.log(),
      'doctor.sh': (await here.script('doctor')).text,
    };
    for (const [place, text] of Object.entries(places)) {
      assert.ok(text.length > 0, place);
      for (const secret of SECRETS) assert.ok(!text.includes(secret), place);
    }
  });

  test('a key that is replaced counts without a restart', async () => {
    const before = await here.startedAt();
    const next = 'sk-rotated-0123456789';
    const configured = await here.script('configure', ['--non-interactive'], {
      env: { OPENAI_API_KEY: next },
    });
    assert.equal(configured.code, 0, configured.text);
    await waitFor(async () => {
      await post('/v1/chat/completions', CHAT);
      assert.equal(provider.last.headers.authorization, `Bearer ${next}`);
    });
    assert.equal(await here.startedAt(), before);
  });
});
