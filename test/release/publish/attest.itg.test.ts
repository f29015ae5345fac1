import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { type Layout, readLayout } from '../../../src/release/image/layout.ts';
import { consumerCommands } from '../../../src/release/publish/consumer.ts';
import { assertVerified, type Verification, verifyRelease } from '../../../src/release/publish/verify.ts';
import { startEmbedded } from '../../../src/release/registry/embedded.ts';
import type { Registry } from '../../../src/release/registry/registry.ts';
import { trustArguments } from '../../../src/release/signing/cosign.ts';
import { parseVersion, versionOrNone } from '../../../src/release/versions/version.ts';
import { POLICY } from '../config/defaults.ts';
import { writeLayout } from '../image/layout-fixture.ts';
import { FaultProxy } from '../registry/proxy.ts';
import { ReferrersProxy } from '../registry/referrers-proxy.ts';
import { PASSWORD, startRegistry } from '../registry/registry-server.ts';
import { encoded, HOME } from '../registry/registry-workshop.ts';
import { SigningKey, signedPlan } from '../signing/signing-fixture.ts';
import { apply, repositoryAt } from './release-fixture.ts';

const PLATFORMS = ['linux/amd64', 'linux/arm64'];
const BUILDER = 'https://builder.example/test';
const ATTACHED = [
  'SBOM of linux/amd64 (CycloneDX)',
  'SBOM of linux/amd64 (SPDX)',
  'SBOM of linux/arm64 (CycloneDX)',
  'SBOM of linux/arm64 (SPDX)',
  'provenance',
  'signature of the index',
  'signature of linux/amd64',
  'signature of linux/arm64',
];

let dir: string;
let key: SigningKey;
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'thoth-attest-'));
  key = await SigningKey.make(dir);
});
after(() => rm(dir, { recursive: true, force: true }));

const folder = () => mkdtemp(join(dir, 'run-'));

async function layoutOf(version: string): Promise<Layout> {
  const layout = await mkdtemp(join(dir, 'layout-'));
  await writeLayout(layout, { version, layers: [{ 'app/version': version }] });
  return readLayout(layout);
}

interface Server {
  readonly host: string;
  stop(): Promise<void>;
}

async function embedded(): Promise<Server> {
  return startEmbedded(await folder());
}

async function withPassword(): Promise<Server> {
  return startRegistry(join(HOME, 'tools/bin/registry'), { data: join(await folder(), 'data') });
}

async function withReferrers(): Promise<Server> {
  const upstream = await embedded();
  const proxy = new ReferrersProxy(upstream.host);
  const host = await proxy.start();
  const stop = async () => {
    await proxy.stop();
    await upstream.stop();
  };
  return { host, stop };
}

const SERVERS = [
  ['docker-registry 2.8', embedded, 3],
  ['distribution v3, with a password', withPassword, 3],
  ['a registry with the referrers API', withReferrers, 0],
] as const;
for (const [name, start, lists] of SERVERS) {
  describe(`a signed release in ${name}`, () => {
    let server: Server;
    let proxy: FaultProxy;
    let registry: Registry;
    let layout: Layout;
    before(async () => {
      server = await start();
      proxy = new FaultProxy(server.host);
      const host = await proxy.start();
      await writeFile(
        join(dir, 'config.json'),
        JSON.stringify({ auths: { [host]: { auth: encoded(PASSWORD) } } }),
      );
      process.env.DOCKER_CONFIG = dir;
      registry = await repositoryAt(host, 'thoth/signed');
      layout = await layoutOf('1.0.0');
    });
    after(async () => {
      delete process.env.DOCKER_CONFIG;
      await proxy.stop();
      await server.stop();
    });

    const verify = async (version: string): Promise<Verification> =>
      verifyRelease(registry, parseVersion(version), {
        platforms: PLATFORMS,
        policy: POLICY,
        scratch: await folder(),
        signed: { verifier: key, builder: BUILDER },
      });
    const release = async () => {
      const { plan, attest } = await signedPlan(registry, 'v1.0.0', layout, key, dir);
      return apply(plan, registry, await folder(), layout, { attest });
    };

    test('is attached to before a tag moves, and holds', async () => {
      proxy.seen = [];
      const { signed, moved } = await release();
      assert.deepEqual([signed, moved], [ATTACHED, ['v1.0.0', 'v1.0', 'v1', 'latest']]);
      const last = proxy.writes.slice(-4).map(({ path }) => path.split('/').at(-1));
      assert.deepEqual(last, moved);
      const found = await verify('v1.0.0');
      assertVerified(found);
      const looked = found.checks.map((check) => check.name);
      for (const what of ATTACHED) assert.ok(looked.includes(what), what);
      const detail = found.checks.find((check) => check.name === 'provenance')?.detail;
      assert.equal(detail, `commit 0123456789abcdef0123456789abcdef01234567, built by ${BUILDER}`);
    });

    test('is verified by stock cosign, with the command lines that verify prints', async () => {
      const { index, platforms } = await verify('v1.0.0');
      const trust = trustArguments({ publicKey: key.publicKey }, { key: key.publicFile }, undefined);
      const flags = ['--allow-http-registry'];
      const commands = consumerCommands({ name: registry.name, index, platforms, trust, registry: flags });
      assert.equal(commands.length, 3 + 1 + 4);
      const other = await SigningKey.make(dir);
      const env = { PATH: `${join(HOME, 'tools/bin')}:${process.env.PATH}`, DOCKER_CONFIG: dir, HOME: dir };
      const run = (command: string) => execa('sh', ['-c', command], { extendEnv: false, env, reject: false });
      await Promise.all(
        commands.map(async (command) => {
          const { exitCode, stderr } = await run(command);
          assert.equal(exitCode, 0, `${command}\n${stderr}`);
          assert.equal((await run(command.replace(key.publicFile, other.publicFile))).exitCode, 1, command);
        }),
      );
    });

    test('done again, also with a plan and a folder of its own, writes nothing', async () => {
      proxy.seen = [];
      const again = await release();
      assert.deepEqual([again.moved, again.signed], [[], []]);
      assert.deepEqual(proxy.writes, []);
    });

    test(`has ${lists} tags for what is attached, and none is taken for a version`, async () => {
      const tags = await registry.tags();
      assert.equal(tags.filter((tag) => tag.startsWith('sha256-')).length, lists);
      assert.deepEqual(
        tags.flatMap((tag) => versionOrNone(tag)?.tag ?? []),
        ['v1.0.0'],
      );
    });
  });
}
