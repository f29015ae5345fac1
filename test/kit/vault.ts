// deploy/compose/vault.yml with a real vault: `make test-vault`. It takes the overlay's own image where that can be
// pulled, else OpenBao's or HashiCorp's program on this machine's path. Without either it says so and ends with 69.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { z } from 'zod';
import { startOpenAi } from '../server/providers/fake-openai.ts';
import { Installation } from './installation.ts';
import { Machine, ROOT } from './machine.ts';
import { importStandIn, programOf } from './stand-in-image.ts';
import { waitFor } from './wait.ts';

const ROOT_TOKEN = randomBytes(16).toString('hex');
const KEYS = ['sk-first-0123456789', 'sk-second-0123456789'] as const;
const ADMIN_KEY = randomBytes(32).toString('hex');

const machine = await Machine.start();
const image = await vaultImage();
if (image === undefined) {
  await machine.stop();
  console.error(
    "not run: the overlay's image can not be pulled, and there is neither bao nor vault on the path",
  );
  process.exit(69);
}
const provider = await startOpenAi('0.0.0.0');
const here = await Installation.at(machine);
after(async () => {
  await provider.stop();
  await machine.stop();
});

/** The image that the overlay names, or one of this machine's program. */
async function vaultImage(): Promise<string | undefined> {
  const overlay = await readFile(join(ROOT, 'deploy/compose/vault.yml'), 'utf8');
  const [, own = ''] = /\$\{THOTH_VAULT_IMAGE:-(\S+)\}/.exec(overlay) ?? [];
  const pulled = await machine.docker('pull', '--quiet', own).catch(() => undefined);
  if (pulled !== undefined) return own;
  for (const name of ['bao', 'vault']) {
    const program = await programOf(name).catch(() => undefined);
    if (program === undefined) continue;
    // The entry point of the real one comes to the same for "agent" and "server", as the user it is given.
    return importStandIn(machine, 'mirror.invalid/vault:here', {
      programs: { [`/bin/${name}`]: program, '/bin/test': await programOf('test') },
      config: [`ENTRYPOINT ["/bin/${name}"]`, 'USER 100:1000', 'ENV HOME=/tmp'],
    });
  }
  return undefined;
}

const Api = z.object({ data: z.record(z.string(), z.unknown()).nullish() });

/** Asks the vault, as its root. */
async function api(method: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const address = await machine.addressOf(`${here.project}-vault`);
  const answer = await fetch(`http://${address}:8200/v1/${path}`, {
    method,
    headers: { 'x-vault-token': ROOT_TOKEN },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  assert.ok(answer.ok, `${path}: ${text}`);
  return text === '' ? {} : (Api.parse(JSON.parse(text)).data ?? {});
}

/** A vault in memory, on the network of the installation, where an AppRole may read the one secret. */
async function startVault(): Promise<void> {
  const name = `${here.project}-vault`;
  const place = ['--name', name, '--network', `${here.project}_network`, '--cap-add', 'IPC_LOCK'];
  const flags = [
    '-dev-no-store-token',
    `-dev-root-token-id=${ROOT_TOKEN}`,
    '-dev-listen-address=0.0.0.0:8200',
  ];
  const settings = ['--env', 'SKIP_CHOWN=true', '--env', 'SKIP_SETCAP=true'];
  await machine.docker('run', '--detach', ...place, ...settings, image ?? '', 'server', '-dev', ...flags);
  await waitFor(() => api('GET', 'sys/health'));
  await keep(KEYS[0]);
  const policy = 'path "secret/data/thoth" { capabilities = ["read"] }';
  await api('PUT', 'sys/policies/acl/thoth', { policy });
  await api('POST', 'sys/auth/approle', { type: 'approle' });
  await api('POST', 'auth/approle/role/thoth', { token_policies: 'thoth', token_ttl: '1h' });
}

/** Keeps this key of OpenAI's in the vault. */
function keep(key: string): Promise<unknown> {
  return api('PUT', 'secret/data/thoth', { data: { openai_api_key: key, thoth_admin_key: ADMIN_KEY } });
}

/** Puts the AppRole's ids and the settings where the head of vault.yml says. */
async function setUp(): Promise<void> {
  const login = join(here.dir, 'secrets/vault');
  await mkdir(join(here.dir, 'secrets'), { mode: 0o700 });
  await mkdir(login);
  const role = await api('GET', 'auth/approle/role/thoth/role-id');
  const secret = await api('POST', 'auth/approle/role/thoth/secret-id');
  await writeFile(join(login, 'role_id'), String(role.role_id));
  await writeFile(join(login, 'secret_id'), String(secret.secret_id));
  const settings = {
    COMPOSE_FILE: 'docker-compose.yml:deploy/compose/vault.yml',
    THOTH_VAULT_IMAGE: image ?? '',
    VAULT_ADDR: `http://${here.project}-vault:8200`,
    OPENAI_API_KEY: '',
    OPENAI_API_KEY_FILE: '/run/secrets/openai_api_key',
    THOTH_ADMIN_KEY_FILE: '/run/secrets/thoth_admin_key',
    OPENAI_BASE_URL: `http://${await here.gateway()}:${provider.port}/v1`,
  };
  for (const [name, value] of Object.entries(settings)) await here.set(name, value);
  // So that nobody has to wait for a minute.
  const config = join(here.dir, 'deploy/compose/vault/agent.hcl');
  await writeFile(config, (await readFile(config, 'utf8')).replace('"1m"', '"2s"'));
}

/** Asks Thoth for a model. @returns the key that the provider got */
async function keyThatIsUsed(): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${here.port}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'openai/gpt-4o', messages: [{ role: 'user', content: 'Hi' }] }),
  });
  assert.equal(answer.status, 200, await answer.text());
  return String(provider.last.headers.authorization).replace('Bearer ', '');
}

describe('vault.yml, with a real vault', () => {
  test('Thoth starts with keys from the vault alone, and none is anywhere else', async () => {
    const installed = await here.install([], { env: { OPENAI_API_KEY: '' } });
    assert.equal(installed.code, 0, installed.text);
    await startVault();
    await setUp();
    const configured = await here.script('configure', ['--non-interactive', '--skip-key-check']);
    assert.equal(configured.code, 0, configured.text);
    assert.equal(await keyThatIsUsed(), KEYS[0]);
    for (const container of ['thoth', 'vault-agent']) {
      for (const [place, text] of Object.entries(await here.exposure(container)))
        for (const secret of [...KEYS, ADMIN_KEY])
          assert.ok(!text.includes(secret), `${container}: ${place}`);
    }
    for (const text of [await here.log(), (await here.script('doctor')).text])
      for (const secret of [...KEYS, ADMIN_KEY]) assert.ok(!text.includes(secret), text);
  });

  test('a key that the vault does not have is an empty file', async () => {
    assert.equal(await secretFile('google_api_key'), '');
    assert.equal(await secretFile('openai_api_key'), KEYS[0]);
  });

  test('a key that changes in the vault counts without a restart', async () => {
    const before = await here.startedAt();
    await keep(KEYS[1]);
    await waitFor(async () => assert.equal(await keyThatIsUsed(), KEYS[1]));
    assert.equal(await here.startedAt(), before);
  });

  test('both come back after a restart of the machine, in whatever order', async () => {
    await machine.docker('restart', `${here.project}-thoth-1`, `${here.project}-vault-agent-1`);
    await waitFor(async () => assert.equal(await keyThatIsUsed(), KEYS[1]));
    await machine.docker('stop', `${here.project}-thoth-1`, `${here.project}-vault-agent-1`);
    await machine.docker('start', `${here.project}-thoth-1`, `${here.project}-vault-agent-1`);
    await waitFor(async () => assert.equal(await keyThatIsUsed(), KEYS[1]));
  });

  /** What the agent has written, as Thoth reads it. */
  function secretFile(name: string): Promise<string> {
    const code = `process.stdout.write(require('fs').readFileSync('/run/secrets/${name}', 'utf8'))`;
    return machine.docker('exec', `${here.project}-thoth-1`, '/nodejs/bin/node', '-e', code);
  }
});
