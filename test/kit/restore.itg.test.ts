import assert from 'node:assert/strict';
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { Installation } from './installation.ts';
import { Machine } from './machine.ts';

describe('restore.sh', () => {
  let machine: Machine;
  let here: Installation;
  /** The name of a backup of v1.0.0, and every row of the data as it was then. */
  let backup: string;
  let rows: string;
  before(async () => {
    machine = await Machine.start();
    await machine.release('v1.1.0');
    here = await Installation.at(machine);
    const installed = await here.install(['--version', 'v1.0.0']);
    assert.equal(installed.code, 0, installed.text);
    await here.remember('from v1.0.0');
    await here.set('LOG_LEVEL', 'debug');
    backup = await taken();
    rows = await here.dump();
    await here.set('LOG_LEVEL', 'warn');
    const updated = await here.script('update', ['v1.1.0']);
    assert.equal(updated.code, 0, updated.text);
    await here.remember('from v1.1.0');
  });
  after(() => machine.stop());

  const restore = (args: readonly string[], env: Record<string, string> = {}) =>
    here.script('restore', args, { env, detached: true });
  const backups = async () => (await readdir(join(here.dir, 'backups'))).sort();

  /** Takes a backup. @returns its name */
  async function taken(): Promise<string> {
    const { code, text } = await here.script('backup');
    assert.equal(code, 0, text);
    return text.trim().split('/').at(-1) ?? '';
  }

  /** A copy of the backup outside the installation, with another archive of data in it and right checksums. */
  async function withData(name: string, change: (archive: string) => Promise<void>): Promise<string> {
    const folder = join(machine.dir, name);
    await cp(join(here.dir, 'backups', backup), folder, { recursive: true });
    await change(join(folder, 'data'));
    const sums = await execa('sha256sum', ['data', 'env', 'docker-compose.yml', 'image'], { cwd: folder });
    await writeFile(join(folder, 'SHA256SUMS'), `${sums.stdout}\n`);
    return folder;
  }

  /** That nothing of what runs is another after `act`. */
  async function untouched(act: () => Promise<void>): Promise<void> {
    const state = async () => ({
      container: await here.containerId(),
      version: await here.running(),
      rows: await here.dump(),
      settings: await here.settings(),
    });
    const earlier = await state();
    await act();
    assert.deepEqual(await state(), earlier);
    await here.leavesNothing();
  }

  test('what is no whole backup is refused, and so is what nobody confirmed', () =>
    untouched(async () => {
      const damaged = await withData('damaged', async () => undefined);
      await writeFile(join(damaged, 'data'), 'x', { flag: 'a' });
      const lacking = await withData('lacking', async () => undefined);
      await rm(join(lacking, 'env'));
      const empty = join(machine.dir, 'no backup');
      await mkdir(empty);
      const REFUSED: readonly [readonly string[], number, RegExp][] = [
        [['20200101T000000Z-v1.0.0', '--yes'], 78, /^There is no backup 20200101T000000Z-v1\.0\.0\./],
        [[empty, '--yes'], 78, /^There is no backup /],
        [['..', '--yes'], 78, /^There is no backup \.\.\./],
        [[damaged, '--yes'], 78, /is damaged: its checksums do not match\./],
        [[lacking, '--yes'], 78, /is damaged: its checksums do not match\./],
        [[backup], 1, /^Nothing was changed\.\n.*--yes/],
      ];
      const kept = await backups();
      for (const [args, expected, message] of REFUSED) {
        const { code, text } = await restore(args);
        assert.equal(code, expected, `${args.join(' ')}: ${text}`);
        assert.match(text, message);
      }
      assert.deepEqual(await backups(), kept);
    }));

  test('data that the version can not take shows on a copy: cut off, or of a newer schema', () =>
    untouched(async () => {
      const short = await withData('cut off', async (archive) => {
        const bytes = await readFile(archive);
        await writeFile(archive, bytes.subarray(0, bytes.length / 2));
      });
      const newer = await withData('newer', async (archive) => {
        const folder = `${archive}.d`;
        await mkdir(folder);
        await execa('tar', ['-xf', archive, '-C', folder]);
        const manifest = join(folder, 'manifest.json');
        const text = (await readFile(manifest, 'utf8')).replace(/("schema": ?)\d+/, '$199');
        assert.match(text, /99/);
        await writeFile(manifest, text);
        const names = (await readdir(folder)).filter((name) => name !== 'manifest.json');
        await execa('tar', ['-cf', archive, '-C', folder, 'manifest.json', ...names]);
        await rm(folder, { recursive: true });
      });
      for (const [folder, told] of [
        [short, /it can not take the data: .*(cut off|not as long)/s],
        [newer, /it can not take the data: .*newer/s],
      ] as const) {
        const { code, text } = await restore([folder, '--yes']);
        assert.equal(code, 1, text);
        assert.match(text, told);
        assert.match(text, /The running version was not touched\./);
      }
    }));

  test('Ctrl-C puts back what was there, at every step', async () => {
    const before_ = await here.dump();
    const settings = await here.settings();
    const STEPS: readonly [step: string, call: string, told: RegExp][] = [
      ['trial', '*" restore -"', /^Interrupted: nothing was changed\.$/m],
      ['stop', '*" backup --output -"', /^v1\.1\.0 runs again: http/m],
      ['switch', '*" restore -"', /^v1\.1\.0 runs again: http/m],
      ['switch', '*" up --detach"*', /^v1\.1\.0 runs again: http/m],
    ];
    for (const [step, call, told] of STEPS) {
      const { code, text } = await restore([backup, '--yes'], await here.at(step, call, 'kill -INT 0'));
      assert.equal(code, 130, `${step}: ${text}`);
      assert.match(text, told);
      assert.equal(await here.running(), 'v1.1.0');
      assert.equal(await here.dump(), before_, step);
      assert.deepEqual(await here.settings(), settings);
      await here.leavesNothing();
    }
  });

  test('killed while it puts the data in place, it is taken back by the next script', async () => {
    const before_ = await here.dump();
    const settings = await here.settings();
    await restore([backup, '--yes'], await here.at('switch', '*" up --detach"*', 'kill -KILL 0'));
    assert.equal(await here.running(), undefined);
    const next = await here.script('backup');
    assert.equal(next.code, 0, next.text);
    assert.equal(await here.running(), 'v1.1.0');
    assert.equal(await here.dump(), before_);
    assert.deepEqual(await here.settings(), settings);
    await here.leavesNothing();
  });

  test('version, data and settings are as they were, row by row, and what was there before is in a backup', async () => {
    const kept = await backups();
    const { code, text } = await restore([backup, '--yes']);
    assert.equal(code, 0, text);
    assert.match(text, new RegExp(`^Restored ${backup}: v1\\.0\\.0 runs at http`, 'm'));
    assert.equal(await here.running(), 'v1.0.0');
    assert.equal(await here.dump(), rows);
    assert.equal((await here.settings()).get('LOG_LEVEL'), 'debug');
    assert.equal((await here.settings()).get('PORT'), String(here.port));
    await here.leavesNothing();

    const made = (await backups()).filter((name) => !kept.includes(name));
    assert.equal(made.length, 1);
    // By a path, as a shell completes it, and forward again, with the settings of now.
    const forward = await restore([`${join(here.dir, 'backups', made[0] ?? '')}/`, '--yes', '--keep-env']);
    assert.equal(forward.code, 0, forward.text);
    assert.equal(await here.running(), 'v1.1.0');
    assert.deepEqual(await here.remembered(), ['from v1.0.0', 'from v1.1.0']);
    assert.equal((await here.settings()).get('LOG_LEVEL'), 'debug');
  });
});
