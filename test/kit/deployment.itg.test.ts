import assert from 'node:assert/strict';
import { appendFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../src/release/machine/port.ts';
import { Machine, ROOT, status } from './machine.ts';
import { type Provider, startProvider } from './provider.ts';
import { atTerminal } from './terminal.ts';

const KEY = 'sk-test-0123456789';
/** A block, or a command in a line of text. */
const COMMANDS = /^```(\w*)\n([\s\S]*?)^```$|`((?:docker|sh|scripts\/\S+|[a-z-]+\.sh) [^`\n]+)`/gm;
const CRON = /^(?:[\d*]+ ){5}(.*)$/;

/** What of the page is not run, by how it begins. Whatever else is on it is run. */
const NOT_RUN: readonly (readonly [begins: string, reason: string])[] = [
  ['docker inspect', 'tells what shows a key, and is no step; the test does it after secrets.sh'],
  [
    'COMPOSE_FILE=docker-compose.yml:deploy/compose/https.yml',
    "Caddy's image can not be fetched here: started-overlays.itg.test.ts does it with a stand-in",
  ],
  ['docker compose cp caddy:', 'the same'],
  [
    'COMPOSE_FILE=docker-compose.yml:deploy/compose/monitoring.yml',
    'nor can those of Prometheus and Grafana: started-overlays.itg.test.ts has stand-ins',
  ],
  ['Invoke-WebRequest', 'needs Windows: .github/workflows/install.yml'],
];

/** In place of GitHub: what a script is fetched from is this tree. */
const CURL = `#!/bin/sh
for word; do
  case $word in https://raw.githubusercontent.com/marcopancotti/thoth/main/*)
    exec cp "$TREE/\${word#https://raw.githubusercontent.com/marcopancotti/thoth/main/}" . ;;
  esac
done
PATH=\${PATH#*:} exec curl "$@"
`;

describe('docs/DEPLOYMENT.md', () => {
  let machine: Machine;
  let provider: Provider;
  let home: string;
  let ports: Readonly<Record<string, number>>;
  before(async () => {
    provider = await startProvider(KEY);
    machine = await Machine.start();
    home = machine.env.HOME ?? '';
    for (const version of ['v1.1.0', 'v1.2.3']) await machine.release(version);
    await mkdir(join(machine.dir, 'bin'));
    await writeFile(join(machine.dir, 'bin/curl'), CURL, { mode: 0o755 });
    ports = { 8000: await freePort(), 8001: await freePort() };
  });
  after(async () => {
    provider.stop();
    await machine.stop();
  });

  const url = (path: string, port = 8000) => `http://127.0.0.1:${ports[port]}${path}`;

  /** What a reader puts in, and what differs here: the ports of the page may be taken. */
  const filledIn = (text: string) =>
    text
      .replaceAll(/(?<=127\.0\.0\.1:|--port )(800[01])/g, (port) => String(ports[port]))
      .replace(/^sh install\.sh$/m, `sh install.sh --port ${ports[8000]}`)
      .replaceAll('OPENAI_API_KEY=sk-...', `OPENAI_API_KEY=${KEY}`)
      .replaceAll('/home/you/', '~/')
      .replace('# and fill in a key', `&& printf 'OPENAI_API_KEY=${KEY}\\nPORT=${ports[8000]}\\n' >>.env`)
      .replace(/^(?=[a-z]+\.sh )/, 'scripts/');

  /** What happens elsewhere meanwhile. */
  async function ahead(commands: string): Promise<void> {
    if (commands.startsWith('scripts/update.sh\n'))
      await machine.regctl('image', 'copy', `${machine.image}:v1.1.0`, `${machine.image}:latest`);
    if (commands.includes(' init compose ')) {
      await machine.docker('pull', '--quiet', `${machine.image}:v1.0.0`);
      for (const tag of ['v1', 'latest'])
        await machine.docker('tag', `${machine.image}:v1.0.0`, `docker.io/marcopancotti/thoth:${tag}`);
    }
  }

  /** What the page says of it has come true. */
  async function behind(commands: string, said: string): Promise<void> {
    assert.ok(!said.includes(KEY), said);
    if (commands.startsWith('curl -fsSLO')) {
      assert.match(said, /^ {4}thoth_\S+$/m);
      // The provider of this test is known by its address in Thoth's network.
      await appendFile(
        join(home, 'thoth/.env'),
        `OPENAI_BASE_URL=${provider.url(await machine.gateway('thoth'))}\n`,
      );
      const configured = await machine.run(join(home, 'thoth/scripts/configure.sh'), []);
      assert.equal(configured.code, 0, configured.text);
    }
    if (commands.includes('--dir second')) assert.equal(await status(url('/health', 8001)), 200);
    if (commands.includes('doctor.sh')) assert.match(said, /^ok {4}openai: valid/m);
    if (commands === 'scripts/update.sh\n') assert.match(said, /^Updated from v1\.0\.0 to v1\.1\.0/m);
    if (commands.includes('v1.2.3')) assert.match(said, /^Updated from v1\.1\.0 to v1\.2\.3/m);
    if (commands.includes('rollback.sh')) assert.match(said, /^Went back from v1\.2\.3 to v1\.0\.0/m);
    if (commands.includes('secrets.sh')) {
      const seen = await machine.docker('inspect', 'thoth-thoth-1');
      assert.ok(!seen.includes(KEY) && seen.includes('/run/secrets/openai_api_key'));
      assert.equal(await status(url('/ready')), 200);
    }
    if (commands.includes('--purge')) {
      assert.equal(await status(url('/health')), 0);
      assert.equal(await status(url('/health', 8001)), 200, 'the second one stays');
    }
    if (commands.includes('up --detach'))
      for (let tries = 0; (await status(url('/ready'))) !== 200; tries += 1) {
        assert.ok(tries < 300, 'it does not get ready');
        await sleep(100);
      }
  }

  test('every command works as it is written, in the order of the page', async (t) => {
    const page = await readFile(join(ROOT, 'docs/DEPLOYMENT.md'), 'utf8');
    const where = join(machine.dir, 'where');
    const env = {
      ...machine.env,
      PATH: `${join(machine.dir, 'bin')}:${machine.env.PATH}`,
      TREE: ROOT,
      THOTH_MIRROR: machine.image,
    };
    const named = new Set<string>();
    let cwd = home;
    let run = 0;
    for (const [, language = '', block = '', inline] of page.matchAll(COMMANDS)) {
      const text = inline ?? (CRON.exec(block.trim())?.[1] || block);
      const reason = NOT_RUN.find(([begins]) => text.startsWith(begins));
      if (reason !== undefined) {
        named.add(reason[0]);
        t.diagnostic(`not run: ${reason.join(' …: ')}`);
        continue;
      }
      assert.ok(
        inline !== undefined || language === 'sh' || CRON.test(block.trim()),
        `neither run nor named: ${text}`,
      );
      await ahead(text);
      const script = join(machine.dir, 'block.sh');
      await writeFile(script, `cd '${cwd}'\n${filledIn(text)}\npwd >'${where}'\n`);
      const keys = ['OPENAI', 'ANTHROPIC', 'GOOGLE'].map((name) => `${name} API key`);
      const answers = keys.map((question, n) => [question, n === 0 ? KEY : ''] as const);
      const { code, text: said } = await atTerminal(`sh -e '${script}'`, answers, { cwd: home, env });
      assert.equal(code, 0, `${text}\n${said}`);
      await behind(text, said);
      cwd = text.includes('--purge') ? home : (await readFile(where, 'utf8')).trim();
      run += 1;
    }
    assert.deepEqual(
      [...named],
      NOT_RUN.map(([begins]) => begins),
      'what is named is on the page',
    );
    t.diagnostic(`${run} run, ${named.size} named`);
  });
});
