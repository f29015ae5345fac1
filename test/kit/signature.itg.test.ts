import assert from 'node:assert/strict';
import { copyFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { requireTool } from '../../src/release/machine/tools.ts';
import { BUNDLE_TYPE, PREDICATE, statementOn } from '../../src/release/signing/statement.ts';
import { repositoryAt } from '../release/publish/release-fixture.ts';
import { HOME } from '../release/registry/registry-workshop.ts';
import { SigningKey } from '../release/signing/signing-fixture.ts';
import { Installation } from './installation.ts';
import { Machine } from './machine.ts';

describe('on a machine with cosign, only what is signed is taken', () => {
  let machine: Machine;
  let here: Installation;
  /** Cosign on the path, and whose signatures count. */
  let env: Record<string, string>;

  /** Signs a version as a release does. */
  async function sign(version: string, key: SigningKey): Promise<void> {
    const [host = '', ...path] = machine.image.split('/');
    const registry = await repositoryAt(host, path.join('/'));
    const subject = (await registry.digestOf(version)) ?? '';
    const file = join(machine.dir, `${version}.json`);
    await writeFile(file, await key.sign(JSON.stringify(statementOn([subject], PREDICATE.signature, {}))));
    await registry.attach({ subject, file, type: BUNDLE_TYPE, annotations: {} });
  }

  before(async () => {
    machine = await Machine.start();
    const bin = join(machine.dir, 'cosign-bin');
    await mkdir(bin);
    await copyFile(await requireTool('cosign', HOME), join(bin, 'cosign'));
    const [ours, other] = [await SigningKey.make(machine.dir), await SigningKey.make(machine.dir)];
    env = { PATH: `${bin}:${machine.env.PATH}`, THOTH_COSIGN_KEY: ours.publicFile };
    for (const version of ['v1.1.0', 'v1.2.0', 'v1.3.0']) await machine.release(version);
    await sign('v1.1.0', ours);
    await sign('v1.3.0', other);
    here = await Installation.at(machine);
  });
  after(() => machine.stop());

  const install = (...args: string[]) => here.install(args, { env });
  const script = (name: string, ...args: string[]) => here.script(name, args, { env });

  test('install.sh', async () => {
    for (const version of ['v1.2.0', 'v1.3.0']) {
      const { code, text } = await install('--version', version);
      assert.equal(code, 1, text);
      assert.match(text, /^The signature of \S+@sha256:\w+ can not be verified: /m);
      assert.match(text, /^Nothing was installed\.$/m);
    }
    assert.deepEqual(await readdir(here.dir).catch(() => []), []);
    const { code, text } = await install('--version', 'v1.1.0');
    assert.equal(code, 0, text);
    assert.equal(await here.running(), 'v1.1.0');
  });

  for (const name of ['update', 'rollback']) {
    test(`${name}.sh`, async () => {
      const container = await here.containerId();
      for (const version of ['v1.2.0', 'v1.3.0']) {
        const { code, text } = await script(name, version);
        assert.equal(code, 1, text);
        assert.match(text, /^The signature of \S+@sha256:\w+ can not be verified: /m);
        assert.match(text, /^Nothing was changed\.$/m);
      }
      assert.equal(await here.containerId(), container);

      const unsigned = await script(name, 'v1.2.0', '--unsigned');
      assert.equal(unsigned.code, 0, unsigned.text);
      assert.equal(await here.running(), 'v1.2.0');
      const back = await script(name, 'v1.1.0');
      assert.equal(back.code, 0, back.text);
      assert.equal(await here.running(), 'v1.1.0');
      await rm(join(here.dir, 'backups'), { recursive: true });
    });
  }
});
