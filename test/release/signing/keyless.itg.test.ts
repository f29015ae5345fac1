import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { z } from 'zod';
import { GITHUB_ISSUER } from '../../../src/release/machine/workflow.ts';
import { sbomDigests } from '../../../src/release/scan/sbom.ts';
import { type Bench, openBench } from '../publish/release-fixture.ts';
import { everythingIn, HOME, type Outcome, Workshop } from '../registry/registry-workshop.ts';
import { writeSbomsOf } from './signing-fixture.ts';
import { SigstoreServer } from './sigstore-server.ts';

const WORKFLOW = 'example/thoth/.github/workflows/docker-publish.yml@refs/tags/v1.0.0';
const IDENTITY = `https://github.com/${WORKFLOW}`;
const REPOSITORY = 'thoth/keyless';
const GITHUB = {
  GITHUB_ACTIONS: 'true',
  GITHUB_SERVER_URL: 'https://github.com',
  GITHUB_REPOSITORY: 'example/thoth',
  GITHUB_WORKFLOW_REF: WORKFLOW,
  GITHUB_RUN_ID: '12',
  GITHUB_RUN_ATTEMPT: '1',
};
const Verified = z.object({ commands: z.array(z.string()) });

describe('a release that a workflow of GitHub signs', () => {
  let shop: Workshop;
  let bench: Bench;
  let sigstore: SigstoreServer;
  let sboms: string;
  let services: Record<string, string>;
  before(async () => {
    shop = await Workshop.open();
    bench = await openBench();
    sigstore = await SigstoreServer.open(shop.dir, WORKFLOW);
    sboms = await shop.folder('sbom');
    await writeSbomsOf(shop.layout, sboms);
    const { signingConfig, trustedRoot } = sigstore.files;
    services = { THOTH_SIGNING_CONFIG: signingConfig, THOTH_TRUSTED_ROOT: trustedRoot };
  });
  after(async () => {
    await sigstore.stop();
    await bench.close();
    await shop.close();
  });

  async function publish(repository: string, env: Record<string, string>, home?: string): Promise<Outcome> {
    const { host } = bench.embedded;
    const plan = await shop.plan(host, repository, {
      signing: { mode: 'keyless', identity: IDENTITY, issuer: GITHUB_ISSUER },
      sboms: await sbomDigests(sboms, ['linux/amd64', 'linux/arm64']),
      build: { builder: IDENTITY, dockerfile: 'Dockerfile' },
    });
    const args = ['publish', '--tag', 'v1.0.0', '--plan', plan, '--layout', shop.layout.dir, '--sbom', sboms];
    const own = { THOTH_HOME: home ?? (await shop.folder('home')), THOTH_REPOSITORY: repository };
    return shop.release(args, { THOTH_REGISTRY: host, ...own, ...GITHUB, ...services, ...env });
  }

  async function verify(env: Record<string, string>): Promise<Outcome> {
    const own = { THOTH_HOME: await shop.folder('home'), THOTH_REPOSITORY: REPOSITORY };
    const { THOTH_TRUSTED_ROOT = '' } = services;
    const { host } = bench.embedded;
    return shop.release(['verify', '--tag', 'v1.0.0'], {
      THOTH_REGISTRY: host,
      THOTH_TRUSTED_ROOT,
      ...own,
      ...env,
    });
  }

  async function tagsIn(repository: string): Promise<unknown> {
    const answer = await fetch(`http://${bench.embedded.host}/v2/${repository}/tags/list`);
    const { tags = [] } = z.object({ tags: z.array(z.string()).nullish() }).parse(await answer.json());
    return tags?.filter((tag) => tag.startsWith('v'));
  }

  test('is signed with a certificate for its token, which nobody else is given', async () => {
    const home = await shop.folder('home');
    const { exitCode, printed } = await publish(REPOSITORY, sigstore.tokenVariables, home);
    assert.equal(exitCode, 0, printed);
    for (const path of ['/token', '/api/v2/signingCert', '/stamp'])
      assert.equal(sigstore.seen.filter((seen) => seen === path).length, 8, path);
    assert.ok(!(printed + (await everythingIn(home))).includes('4711'));
  });

  test('is verified by who signed it, and by stock cosign with the command lines that verify prints', async () => {
    const { exitCode, result, printed } = await verify({ THOTH_VERIFY_IDENTITY: IDENTITY });
    assert.equal(exitCode, 0, printed);
    const { commands } = Verified.parse(result);
    assert.equal(commands.length, 8);
    const PATH = [join(HOME, 'tools/bin'), process.env.PATH].join(delimiter);
    const options = { extendEnv: false, env: { PATH, HOME: shop.dir }, reject: false } as const;
    for (const command of commands) {
      const { exitCode: code, stderr } = await execa('sh', ['-c', command], options);
      assert.equal(code, 0, `${command}\n${stderr}`);
    }
  });

  const OTHERS: readonly (readonly [string, Record<string, string>, RegExp])[] = [
    [
      'a workflow of another project',
      { THOTH_VERIFY_IDENTITY: IDENTITY.replace('example', 'other') },
      /signature of the index: .*expected SAN value "https:\/\/github\.com\/other/,
    ],
    [
      'another issuer',
      { THOTH_VERIFY_IDENTITY: IDENTITY, THOTH_VERIFY_ISSUER: 'https://issuer.example' },
      /signature of the index: .*expected issuer value "https:\/\/issuer\.example"/,
    ],
    [
      'the same signer and another builder',
      { THOTH_VERIFY_IDENTITY: IDENTITY, THOTH_BUILDER_ID: 'https://builder.example/other' },
      /^provenance: its builder is https:\/\/github\.com\/example/m,
    ],
  ];
  for (const [whose, env, why] of OTHERS) {
    test(`is not that of ${whose}`, async () => {
      const { exitCode, error, printed } = await verify(env);
      assert.deepEqual([exitCode, error?.code], [6, 'VERIFY_FAILED'], printed);
      assert.match(error?.details.join('\n') ?? '', why);
    });
  }

  test('gets no tag where the token is somebody else’s', async () => {
    sigstore.workflow = WORKFLOW.replace('docker-publish', 'other');
    const { exitCode, error, printed } = await publish('thoth/other', sigstore.tokenVariables);
    sigstore.workflow = WORKFLOW;
    assert.deepEqual([exitCode, error?.code], [6, 'VERIFY_FAILED'], printed);
    assert.match(error?.details.join('\n') ?? '', /other\.yml/);
    assert.deepEqual(await tagsIn('thoth/other'), []);
  });

  test('is refused without a token before anything is written', async () => {
    const { exitCode, error, printed } = await publish('thoth/none', {});
    assert.deepEqual([exitCode, error?.code], [2, 'SIGNER_UNKNOWN'], printed);
    const answer = await fetch(`http://${bench.embedded.host}/v2/thoth/none/tags/list`);
    assert.equal(answer.status, 404);
  });

  test('gets no tag where Sigstore can not be reached, and the next run goes on from there', async () => {
    const nowhere = join(await shop.folder('services'), 'signing.json');
    const { signingConfig } = sigstore.files;
    const text = await readFile(signingConfig, 'utf8');
    await writeFile(nowhere, text.replaceAll(/127\.0\.0\.1:\d+/g, '127.0.0.1:1'));
    const home = await shop.folder('home');
    const variables = sigstore.tokenVariables;
    const failed = await publish('thoth/down', { ...variables, THOTH_SIGNING_CONFIG: nowhere }, home);
    assert.deepEqual([failed.exitCode, failed.error?.code], [5, 'SIGN_FAILED'], failed.printed);
    assert.deepEqual(await tagsIn('thoth/down'), []);
    const { exitCode, printed } = await publish('thoth/down', variables, home);
    assert.equal(exitCode, 0, printed);
  });
});
