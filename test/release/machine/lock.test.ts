import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ReleaseError } from '../../../src/release/errors.ts';
import { takeLock } from '../../../src/release/machine/lock.ts';

const locked = (error: unknown) => error instanceof ReleaseError && error.code === 'LOCKED';

describe('the lock on a repository', () => {
  let home: string;
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'thoth-lock-'));
    await mkdir(join(home, 'locks'));
  });
  after(() => rm(home, { recursive: true, force: true }));

  test('is held by one, and free again after', async () => {
    const lock = await takeLock(home, 'docker.io/a/b');
    await assert.rejects(takeLock(home, 'docker.io/a/b'), locked);
    await (await takeLock(home, 'docker.io/a/c')).release();
    await lock.release();
    await (await takeLock(home, 'docker.io/a/b')).release();
    assert.deepEqual(await readdir(join(home, 'locks')), []);
  });

  test('of twenty that want it at once, one gets it', async () => {
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => takeLock(home, 'race')));
    const won = results.filter((result) => result.status === 'fulfilled');
    assert.equal(won.length, 1);
    assert.ok(results.every((result) => result.status === 'fulfilled' || locked(result.reason)));
    await won[0]?.value.release();
  });

  test('of a process that is gone is taken over', async () => {
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    await writeFile(join(home, 'locks', 'gone.lock'), `${child.pid}\n`);
    await (await takeLock(home, 'gone')).release();
    await writeFile(join(home, 'locks', 'empty.lock'), '');
    await (await takeLock(home, 'empty')).release();
  });

  test('of a process that runs is not, whoever it belongs to', async () => {
    await writeFile(join(home, 'locks', 'init.lock'), '1\n');
    await assert.rejects(takeLock(home, 'init'), locked);
  });
});
