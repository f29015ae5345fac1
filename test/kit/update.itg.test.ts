import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { countFaults } from '../count-faults.ts';
import { Installation } from './installation.ts';
import { Machine } from './machine.ts';

/** Seconds that a version gets: long enough for a good one on a busy machine. */
const WAIT = '10';
/** What a bad version does in place of serving, the words that the user is told, and where it shows. */
const BAD: readonly [name: string, serve: string, told: RegExp][] = [
  [
    'crashes',
    `console.error('no such thing'); process.exit(3);`,
    /it ended with exit code 3|it ended, and was started anew/,
  ],
  ['hangs', `setInterval(() => {}, 1000);`, /did not get healthy within 10 seconds: ECONNREFUSED/],
  [
    'is unhealthy',
    `require('http').createServer((q, a) => { a.statusCode = 500; a.end(); }).listen(8000);`,
    /did not get healthy within 10 seconds: \/health answered 500/,
  ],
  [
    'fails its migration half way',
    `for (const name of require('fs').readdirSync('/app/data', { recursive: true }).filter((one) => one.endsWith('.db')))
       require('fs').writeFileSync('/app/data/' + name, 'half a migration');
     console.error('migration 7 failed'); process.exit(1);`,
    /it ended with exit code 1|it ended, and was started anew/,
  ],
];

describe('update.sh and rollback.sh', { concurrency: 3 }, () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.start();
    await machine.release('v1.1.0');
    await machine.release('v1.2.0');
    for (const [n, [, serve]] of BAD.entries()) {
      await machine.release(`v2.0.${n}`, serve);
      await machine.release(`v3.0.${n}`, `if (trial) own(); else { ${serve} }`);
    }
  });
  after(() => machine.stop());

  /** An installation of v1.0.0 with something in its data. */
  async function installed(): Promise<Installation> {
    const here = await Installation.at(machine);
    const { code, text } = await here.install(['--version', 'v1.0.0']);
    assert.equal(code, 0, text);
    await here.remember('from v1.0.0');
    return here;
  }

  const backups = (here: Installation) => readdir(join(here.dir, 'backups'));

  test('an update keeps the data, a rollback too, and each leaves a backup of what was', async () => {
    const here = await installed();
    const rows = await here.dump();
    const updated = await here.script('update', ['v1.1.0']);
    assert.equal(updated.code, 0, updated.text);
    assert.match(updated.text, /^Updated from v1\.0\.0 to v1\.1\.0: http:/m);
    assert.equal(await here.running(), 'v1.1.0');
    await here.remember('from v1.1.0');

    const again = await here.script('update', ['v1.1.0']);
    assert.equal(again.code, 0, again.text);
    assert.match(again.text, /^Up to date: v1\.1\.0/m);
    assert.equal((await backups(here)).length, 1);

    const back = await here.script('rollback');
    assert.equal(back.code, 0, back.text);
    assert.match(back.text, /^Went back from v1\.1\.0 to v1\.0\.0/m);
    assert.equal(await here.running(), 'v1.0.0');
    assert.deepEqual(await here.remembered(), ['from v1.0.0', 'from v1.1.0']);

    const [first = ''] = await backups(here);
    const unsure = await here.script('rollback', [first]);
    assert.equal(unsure.code, 1, unsure.text);
    const whole = await here.script('rollback', [first, '--yes']);
    assert.equal(whole.code, 0, whole.text);
    assert.equal(await here.dump(), rows);
    await here.end();
  });

  test('a backup holds everything, is for its owner alone, and is retired in time', async () => {
    const here = await installed();
    const { code, text } = await here.script('backup');
    assert.equal(code, 0, text);
    const folder = text.trim();
    assert.deepEqual((await readdir(folder)).sort(), [
      'SHA256SUMS',
      'data',
      'docker-compose.yml',
      'env',
      'image',
    ]);
    assert.equal((await stat(folder)).mode & 0o777, 0o700);
    for (const name of await readdir(folder))
      assert.equal((await stat(join(folder, name))).mode & 0o077, 0, name);
    for (let n = 0; n < 3; n += 1) assert.equal((await here.script('backup', ['--keep', '2'])).code, 0);
    assert.equal((await backups(here)).length, 2);

    const [newest = ''] = (await here.script('backup', ['--list'])).text.split('\n');
    const damaged = join(here.dir, 'backups', newest, 'data');
    await writeFile(damaged, 'x', { flag: 'a' });
    const refused = await here.script('rollback', [newest, '--yes']);
    assert.equal(refused.code, 78, refused.text);
    assert.match(refused.text, /is damaged: its checksums do not match/);
    assert.deepEqual(await here.remembered(), ['from v1.0.0']);
    await here.end();
  });

  describe('a bad version is found on a copy of the data: the one that runs is not touched', {
    concurrency: 1,
  }, () => {
    let here: Installation;
    let before_: string;
    before(async () => {
      here = await installed();
      before_ = await here.dump();
    });
    after(() => here.end());

    for (const [n, [name, , told]] of BAD.entries()) {
      test(`one that ${name}`, async (t) => {
        const container = await here.containerId();
        const { code, text } = await here.script('update', [`v2.0.${n}`, '--wait', WAIT]);
        assert.equal(code, 1, text);
        assert.match(text, told);
        assert.match(text, /The running version was not touched\./);
        assert.equal(await here.containerId(), container);
        assert.equal(await here.running(), 'v1.0.0');
        const after_ = await here.dump();
        assert.equal(after_, before_);
        countFaults(t, 'An update to a bad version that a copy of the data shows', 1, {
          'data changed': Number(after_ !== before_),
        });
        await here.leavesNothing();
      });
    }

    test('one whose digest is another', async () => {
      const digest = await machine.regctl('image', 'digest', `${machine.image}:v1.2.0`);
      const REFUSED: readonly [string, number, RegExp][] = [
        [digest, 1, /is v1\.2\.0, and not v1\.1\.0/],
        [`sha256:${'0'.repeat(64)}`, 69, /can not be fetched/],
      ];
      for (const [wrong, expected, message] of REFUSED) {
        const { code, text } = await here.script('update', ['v1.1.0', '--digest', wrong]);
        assert.equal(code, expected, text);
        assert.match(text, message);
      }
      assert.equal((await here.script('update', ['v9.9.9'])).code, 69);
      assert.equal(await here.running(), 'v1.0.0');
      await here.leavesNothing();
    });
  });

  describe('a bad version that a copy does not show goes back by itself, with image and data of before', {
    concurrency: 1,
  }, () => {
    let here: Installation;
    before(async () => {
      here = await installed();
    });
    after(() => here.end());

    for (const [n, [name, , told]] of BAD.entries()) {
      test(`one that ${name}`, async (t) => {
        const before_ = await here.dump();
        const settings = await here.settings();
        const { code, text } = await here.script('update', [`v3.0.${n}`, '--wait', WAIT]);
        assert.equal(code, 1, text);
        assert.match(text, told);
        assert.match(text, /^v1\.0\.0 runs again: http:/m);
        assert.equal(await here.running(), 'v1.0.0');
        const after_ = await here.dump();
        assert.equal(after_, before_);
        countFaults(t, 'An update to a bad version that shows it later', 1, {
          'data changed': Number(after_ !== before_),
        });
        assert.deepEqual(await here.settings(), settings);
        const backup = (await backups(here)).sort().at(-1) ?? '';
        assert.ok((await readdir(join(here.dir, 'backups', backup))).includes('after.tar'));
        await here.leavesNothing();
      });
    }
  });

  describe('where something else is wrong', { concurrency: 1 }, () => {
    let here: Installation;
    before(async () => {
      here = await installed();
    });
    after(() => here.end());

    test('not even the version before comes back: it says so with its own exit code', async () => {
      const env = await here.shim(['docker'], `case "$*" in *" up "*) echo 'no more up' >&2; exit 1 ;; esac`);
      const { code, text } = await here.script('update', ['v1.1.0'], { env });
      assert.equal(code, 3, text);
      assert.match(text, /could not be brought back: .*no more up/s);
      const next = await here.script('backup');
      assert.equal(next.code, 0, next.text);
      assert.equal(await here.running(), 'v1.0.0');
      assert.deepEqual(await here.remembered(), ['from v1.0.0']);
    });

    test('a full disk stops it at the backup, and the version before runs again', async () => {
      const rows = await here.dump();
      const folder = join(here.dir, 'backups');
      await mkdir(folder, { recursive: true });
      await execa('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder]);
      try {
        const { code, text } = await here.script('update', ['v1.1.0']);
        assert.equal(code, 1, text);
        assert.match(text, /^No backup, no change: .*no space left on device/ims);
        assert.match(text, /^v1\.0\.0 runs again: http:/m);
      } finally {
        await execa('umount', [folder]);
      }
      assert.equal(await here.running(), 'v1.0.0');
      assert.equal(await here.dump(), rows);
      await here.leavesNothing();
    });

    test('of two at once the second waits, and no backup is half done', async () => {
      const [one, two] = await Promise.all([here.script('update', ['v1.1.0']), here.script('backup')]);
      assert.deepEqual([one.code, two.code], [0, 0], one.text + two.text);
      assert.match(one.text + two.text, /^Another script is at work here: waiting for it/m);
      assert.equal(await here.running(), 'v1.1.0');
    });

    test('a compose file that was changed by hand stays, and the new one is put beside it', async () => {
      const path = join(here.dir, 'docker-compose.yml');
      const changed = `${await readFile(path, 'utf8')}# mine\n`;
      await writeFile(path, changed);
      const { code, text } = await here.script('update', ['v1.2.0']);
      assert.equal(code, 0, text);
      assert.match(text, /You changed docker-compose\.yml: it stays/);
      assert.equal(await readFile(path, 'utf8'), changed);
    });
  });
});
