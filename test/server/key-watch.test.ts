import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { ProviderKeys } from '../../src/server/gateway/provider-keys.ts';
import { createLogger } from '../../src/server/log.ts';
import { SecretValues } from '../../src/server/redact.ts';
import { watchKeys } from '../../src/server/settings/key-watch.ts';
import { readSettings } from '../../src/server/settings/read.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoth-keys-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** The keys of a service that was started with a key in a file, and what it logs. */
function create(path: string) {
  const environment = { OPENAI_API_KEY_FILE: path, ANTHROPIC_API_KEY: 'key-in-environment' };
  let text = '';
  const write = (line: string) => {
    text += line;
  };
  const settings = readSettings(environment);
  const secrets = new SecretValues([]);
  const logger = createLogger(settings, { write }, secrets);
  const read = () => readSettings(environment);
  const keys = new ProviderKeys(settings, read, logger, (key) => secrets.add(key));
  return { keys, environment, logger, logged: () => text };
}

describe('a key is read anew', () => {
  test('from its file, the others stay, and the log keeps the new one out', () => {
    const path = join(folder, 'anew');
    writeFileSync(path, 'first-key-1');
    const { keys, logger, logged } = create(path);
    writeFileSync(path, 'second-key-2\n');
    keys.reload();
    assert.equal(keys.of('openai')?.reveal(), 'second-key-2');
    assert.equal(keys.of('anthropic')?.reveal(), 'key-in-environment');
    logger.info('an upstream said second-key-2');
    assert.match(logged(), /"providers":\["openai"\],"msg":"provider keys changed"/);
    assert.equal(logged().includes('second-key-2'), false);
  });

  const broken: readonly [string, (path: string) => void][] = [
    ['is gone', (path) => rmSync(path)],
    ['is empty', (path) => writeFileSync(path, '')],
    ['holds no key', (path) => writeFileSync(path, '"quoted"')],
  ];
  for (const [name, breakIt] of broken) {
    test(`and stays as it was where the file ${name}`, () => {
      const path = join(folder, 'broken');
      writeFileSync(path, 'first-key-1');
      const { keys, logged } = create(path);
      breakIt(path);
      keys.reload();
      assert.equal(keys.of('openai')?.reveal(), 'first-key-1');
      assert.match(
        logged(),
        /"level":"error".*"subject":"OPENAI_API_KEY_FILE".*provider keys stay as they were/,
      );
    });
  }
});

describe('what makes it read anew', () => {
  const look = 20;
  const changes: readonly [string, (path: string) => void][] = [
    ['SIGHUP', () => process.kill(process.pid, 'SIGHUP')],
    ['a file that is written', (path) => writeFileSync(path, 'second-key-2')],
    [
      'a link that is swapped, as Kubernetes does',
      (path) => {
        writeFileSync(join(folder, 'new'), 'second-key-2');
        symlinkSync(join(folder, 'new'), join(folder, 'link'));
        renameSync(join(folder, 'link'), path);
      },
    ],
  ];
  for (const [name, change] of changes) {
    test(name, async () => {
      const path = join(folder, 'watched');
      rmSync(path, { force: true });
      writeFileSync(path, 'first-key-1');
      let calls = 0;
      let called = () => {};
      const reloaded = new Promise<void>((resolve) => {
        called = resolve;
      });
      const reload = () => {
        calls++;
        called();
      };
      const stop = watchKeys({ OPENAI_API_KEY_FILE: path }, reload, look);
      await new Promise((resolve) => setTimeout(resolve, 5 * look));
      assert.equal(calls, 0);
      change(path);
      await reloaded;
      stop();
    });
  }
});
