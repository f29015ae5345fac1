import assert from 'node:assert/strict';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { z } from 'zod';
import { requireTool } from '../../../src/release/machine/tools.ts';
import { sbomDigests } from '../../../src/release/scan/sbom.ts';
import { type Certified, certify, makeAuthority } from '../registry/certificates.ts';
import { type Logged, PASSWORD, type RegistryServer, startRegistry } from '../registry/registry-server.ts';
import { encoded, everythingIn, HOME, type Outcome, Workshop } from '../registry/registry-workshop.ts';
import { TokenServer } from '../registry/token-server.ts';
import { SigningKey, writeSbomsOf } from '../signing/signing-fixture.ts';

const WRONG = 'not the password 4711';
const TAGS = ['v1.0.0', 'v1.0', 'v1', 'latest'];
const Published = z.object({ moved: z.array(z.string()), inPlace: z.array(z.string()) });
const Verified = z.object({ index: z.string(), commands: z.array(z.string()) });

let shop: Workshop;
let authority: Certified;
let tls: Certified;
before(async () => {
  shop = await Workshop.open();
  authority = await makeAuthority(shop.dir, 'authority');
  tls = await certify(shop.dir, 'registry', authority);
});
after(() => shop.close());

const SERVERS = [
  ['docker-registry 2.8', () => requireTool('docker-registry', HOME)],
  ['distribution v3', async () => join(HOME, 'tools/bin/registry')],
] as const;
const ACCESS = [
  ['TLS and a password', { secure: true, byToken: false }],
  ['a password, without TLS on loopback', { secure: false, byToken: false }],
  ['TLS and tokens, as Docker Hub', { secure: true, byToken: true }],
] as const;

for (const [server, find] of SERVERS) {
  for (const [access, { secure, byToken }] of ACCESS) {
    describe(`${server}, ${access}`, () => {
      let registry: RegistryServer;
      let readOnly: RegistryServer;
      let tokens: TokenServer | undefined;
      before(async () => {
        const dir = await shop.folder('registry');
        if (byToken) tokens = new TokenServer(tls, await makeAuthority(dir, 'signer'));
        const common = {
          data: join(dir, 'data'),
          tls: secure ? tls : undefined,
          token: await tokens?.start(),
        };
        const program = await find();
        registry = await startRegistry(program, common);
        readOnly = await startRegistry(program, { ...common, readOnly: true });
      });
      after(async () => {
        await registry.stop();
        await readOnly.stop();
        await tokens?.stop();
      });

      const trusting = () => (secure ? { THOTH_REGISTRY_CA: authority.certificate } : {});
      /** Publishes with a config.json, or with a password in it. */
      async function publish(
        config: string | { password: string } = { password: PASSWORD },
        env: Record<string, string> = {},
      ): Promise<Outcome> {
        const { host } = registry;
        return shop.publish(host, {
          DOCKER_CONFIG: await shop.login(host, config),
          ...trusting(),
          ...env,
        });
      }

      interface Refusal {
        readonly config?: string | { password: string };
        readonly life?: TokenServer['life'];
        /** Of every request, in the registry and in the token server. */
        readonly seen: { byPassword: number[]; byToken: [registry: number[], tokens: number[]] };
        readonly says?: RegExp;
      }
      const REFUSALS: readonly (readonly [string, Refusal])[] = [
        [
          'a wrong password',
          { config: { password: WRONG }, seen: { byPassword: [401, 401], byToken: [[401], [401]] } },
        ],
        ['no password', { config: '{}', seen: { byPassword: [401], byToken: [[401], [401]] } }],
        [
          'a config.json that is not whole',
          {
            config: '{"auths":',
            seen: { byPassword: [401], byToken: [[401], [401]] },
            says: /Failed to load docker creds/,
          },
        ],
        ['an expired token', { life: 'expired', seen: { byPassword: [], byToken: [[401, 401], [200]] } }],
        [
          'a token that does not hold yet, as where a clock is wrong',
          { life: 'early', seen: { byPassword: [], byToken: [[401, 401], [200]] }, says: /clock/ },
        ],
      ];
      for (const [what, refusal] of REFUSALS) {
        if (refusal.life !== undefined && !byToken) continue;
        test(`${what} is refused: asked once, nothing is written, and no secret is shown`, async () => {
          await registry.requests();
          if (tokens !== undefined) Object.assign(tokens, { life: refusal.life ?? 'valid', answers: [] });
          const home = await shop.folder('home');
          const { exitCode, error, printed } = await publish(refusal.config, { THOTH_HOME: home });
          if (tokens !== undefined) tokens.life = 'valid';
          assert.deepEqual([exitCode, error?.code], [5, 'REGISTRY_DENIED'], printed);
          assert.match(printed, refusal.says ?? /docker login/);
          const statuses = (await registry.requests()).map(({ status }) => status);
          if (tokens === undefined) assert.deepEqual(statuses, refusal.seen.byPassword);
          else assert.deepEqual([statuses, tokens.answers], refusal.seen.byToken);
          const left = printed + (await everythingIn(home));
          for (const password of [PASSWORD, WRONG])
            for (const secret of [password, encoded(password)]) assert.ok(!left.includes(secret), left);
        });
      }

      test('a registry that is read only is asked for each thing once, and reported', async () => {
        const { host } = readOnly;
        const env = { DOCKER_CONFIG: await shop.login(host, { password: PASSWORD }), ...trusting() };
        const { exitCode, error, printed } = await shop.publish(host, env);
        assert.deepEqual([exitCode, error?.code], [5, 'REGISTRY_FAILED'], printed);
        assert.match(error?.details.join() ?? '', /http 405/);
        const writes = (await readOnly.requests()).filter(isWrite);
        assert.deepEqual([...new Set(writes.map(({ status }) => status))], [405]);
        // A blob is asked for by mounting it first, and by uploading it where that is refused.
        const mounts = writes.flatMap(({ path }) => /mount=.*/.exec(path)?.[0] ?? []);
        assert.deepEqual([...new Set(mounts)], mounts);
        assert.ok(writes.length <= 2 * mounts.length, `${writes.length} requests`);
      });

      test('is released to, and done again nothing is written', async () => {
        const first = await publish();
        assert.equal(first.exitCode, 0, first.printed);
        assert.deepEqual(Published.parse(first.result), { moved: TAGS, inPlace: [] });
        await registry.requests();
        const second = await publish();
        assert.deepEqual(Published.parse(second.result), { moved: [], inPlace: TAGS });
        assert.deepEqual((await registry.requests()).filter(isWrite), []);
        const { host } = registry;
        const verified = await shop.release(['verify', '--tag', 'v1.0.0'], {
          THOTH_HOME: await shop.folder('home'),
          THOTH_REGISTRY: host,
          THOTH_SIGN: 'none',
          DOCKER_CONFIG: await shop.login(host, { password: PASSWORD }),
          ...trusting(),
        });
        assert.equal(verified.exitCode, 0, verified.printed);
        assert.equal(Verified.parse(verified.result).index, shop.layout.index.digest);
      });

      // Once with each server, and once by password and by token.
      if (!secure || byToken !== (server === SERVERS[0][0])) return;
      test('is released to signed, and verified, by cosign too with the command lines that verify prints', async () => {
        const { host } = registry;
        const key = await SigningKey.make(shop.dir);
        const sboms = await shop.folder('sbom');
        await writeSbomsOf(shop.layout, sboms);
        const signed = {
          signing: { mode: 'key', fingerprint: key.fingerprint } as const,
          sboms: await sbomDigests(sboms, ['linux/amd64', 'linux/arm64']),
        };
        const env = {
          THOTH_HOME: await shop.folder('home'),
          THOTH_REGISTRY: host,
          THOTH_REPOSITORY: 'thoth/signed',
          THOTH_SIGN_KEY: key.key,
          THOTH_VERIFY_KEY: key.publicFile,
          DOCKER_CONFIG: await shop.login(host, { password: PASSWORD }),
          ...trusting(),
        };
        const plan = await shop.plan(host, 'thoth/signed', signed);
        const args = ['--plan', plan, '--layout', shop.layout.dir, '--sbom', sboms];
        const published = await shop.release(['publish', '--tag', 'v1.0.0', ...args], env);
        assert.equal(published.exitCode, 0, published.printed);
        const verified = await shop.release(['verify', '--tag', 'v1.0.0'], env);
        assert.equal(verified.exitCode, 0, verified.printed);
        const { commands } = Verified.parse(verified.result);
        assert.equal(commands.length, 8);
        // cosign speaks to no token server on a private address, as this one is.
        if (byToken) return;
        const PATH = `${join(HOME, 'tools/bin')}:${process.env.PATH}`;
        for (const command of commands) {
          const { DOCKER_CONFIG } = env;
          const options = {
            extendEnv: false,
            env: { PATH, HOME: shop.dir, DOCKER_CONFIG },
            reject: false,
          } as const;
          const { exitCode, stderr } = await execa('sh', ['-c', command], options);
          assert.equal(exitCode, 0, `${command}\n${stderr}`);
        }
      });
    });
  }
}

function isWrite({ method }: Logged): boolean {
  return method !== 'GET' && method !== 'HEAD';
}

/** Linux takes it to this machine, and by its name it is no loopback address. */
function notLoopback({ host }: RegistryServer): string {
  return host.replace('127.0.0.1', '0.0.0.0');
}

describe('whose certificate is trusted', () => {
  let registry: RegistryServer;
  let host: string;
  before(async () => {
    const data = join(await shop.folder('registry'), 'data');
    registry = await startRegistry(await requireTool('docker-registry', HOME), { data, tls });
    host = notLoopback(registry);
  });
  after(() => registry.stop());

  async function publish(env: Record<string, string>): Promise<Outcome> {
    const DOCKER_CONFIG = await shop.login(host, { password: PASSWORD });
    return shop.publish(host, { DOCKER_CONFIG, ...env });
  }

  test('an authority that nobody named is not trusted, and the way to name it is said', async () => {
    const { exitCode, error, printed } = await publish({});
    assert.deepEqual([exitCode, error?.code], [5, 'REGISTRY_UNREACHABLE'], printed);
    assert.match(error?.remedy ?? '', /THOTH_REGISTRY_CA/);
    assert.deepEqual(await registry.requests(), []);
  });

  test('nor is one in a file beside the one that was named, which nobody reads', async () => {
    const dir = await shop.folder('authorities');
    await copyFile(authority.certificate, join(dir, 'other.pem'));
    const named = await makeAuthority(dir, 'named');
    await execa('mkfifo', [join(dir, 'pipe')]); // who reads it waits for ever
    const { exitCode, error } = await publish({ THOTH_REGISTRY_CA: named.certificate });
    assert.deepEqual([exitCode, error?.code], [5, 'REGISTRY_UNREACHABLE']);
  });

  test('a file that holds a key too gives the certificate alone', async () => {
    const key = await readFile(authority.key, 'utf8');
    const both = join(await shop.folder('authorities'), 'both.pem');
    await writeFile(both, key + (await readFile(authority.certificate, 'utf8')));
    const home = await shop.folder('home');
    const { exitCode, printed } = await publish({ THOTH_REGISTRY_CA: both, THOTH_HOME: home });
    assert.equal(exitCode, 0, printed);
    assert.ok(!(await everythingIn(home)).includes(key.split('\n')[1] ?? key));
  });

  const FILES: readonly (readonly [string, string | undefined, RegExp])[] = [
    ['that is not there', undefined, /ca\.pem/],
    ['without a certificate', 'nothing\n', /no certificate/],
    [
      'with a certificate that is damaged',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      /can not be read/,
    ],
  ];
  for (const [what, text, says] of FILES) {
    test(`a file ${what} is bad input`, async () => {
      const path = join(await shop.folder('authorities'), 'ca.pem');
      if (text !== undefined) await writeFile(path, text);
      const { exitCode, error, printed } = await publish({ THOTH_REGISTRY_CA: path });
      assert.deepEqual([exitCode, error?.code], [2, 'SETTING_INVALID'], printed);
      assert.match(printed, says);
      assert.match(printed, /THOTH_REGISTRY_CA/);
    });
  }
});

describe('a registry without TLS that is not on loopback', () => {
  let registry: RegistryServer;
  let host: string;
  before(async () => {
    const data = join(await shop.folder('registry'), 'data');
    registry = await startRegistry(await requireTool('docker-registry', HOME), { data });
    host = notLoopback(registry);
  });
  after(() => registry.stop());

  test('is sent nothing', async () => {
    const env = { DOCKER_CONFIG: await shop.login(host, { password: PASSWORD }) };
    const { exitCode, error, printed } = await shop.publish(host, env);
    assert.deepEqual([exitCode, error?.code], [5, 'REGISTRY_UNREACHABLE'], printed);
    assert.match(error?.remedy ?? '', /THOTH_REGISTRY_PLAIN_HTTP/);
    assert.deepEqual(await registry.requests(), []);
  });

  test('is released to where its host is named', async () => {
    const env = {
      DOCKER_CONFIG: await shop.login(host, { password: PASSWORD }),
      THOTH_REGISTRY_PLAIN_HTTP: host,
    };
    const { exitCode, printed } = await shop.publish(host, env);
    assert.equal(exitCode, 0, printed);
  });
});
