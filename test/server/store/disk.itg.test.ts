import assert from 'node:assert/strict';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { Failure } from '../../../src/server/failure.ts';
import { NO_LIMITS } from '../../../src/server/keys/client-key.ts';
import { Keyring } from '../../../src/server/keys/keyring.ts';
import { Store } from '../../../src/server/store/store.ts';
import { Recorder } from '../../../src/server/usage/recorder.ts';
import { UsageReport } from '../../../src/server/usage/report.ts';
import { countFaults } from '../../count-faults.ts';
import { mountDisk } from '../disk.ts';
import { REQUEST } from '../usage/entry-fixture.ts';

const DRAFT = { name: 'test', scopes: ['chat'], expiresAt: null, limits: NO_LIMITS } as const;
/** A failed opening is not tried again before. */
const PAUSE_MS = 1_050;

test('on a read-only disk keys are read and nothing is written; when it is back, it is written', async () => {
  const disk = mountDisk();
  const first = new Store(disk.path);
  const { token } = new Keyring(first).create(DRAFT);
  first.close();
  disk.remount('ro');
  const store = new Store(disk.path, { service: true });
  const keyring = new Keyring(store);
  assert.equal(typeof keyring.authenticate(token), 'object');
  assert.throws(
    () => keyring.create(DRAFT),
    (error) => error instanceof Failure && error.exitCode === 74,
  );
  assert.equal(typeof keyring.authenticate(token), 'object');
  disk.remount('rw');
  await wait(PAUSE_MS);
  keyring.create(DRAFT);
  assert.equal(keyring.list().length, 2);
  store.close();
});

test('on a full disk usage is kept, and said so once, it is all written when there is room', async (t) => {
  const disk = mountDisk();
  const lines: string[] = [];
  const store = new Store(disk.path);
  const recorder = new Recorder(store, pino({}, { write: (line: string) => void lines.push(line) }));
  const report = new UsageReport(store);
  const counts = () => [
    report.sums({ from: 0, to: Date.now() + 7_200_000 }, [])[0]?.requests,
    report.requests(Number.MAX_SAFE_INTEGER, 10_000).length,
  ];
  recorder.record(REQUEST);
  recorder.flush();
  const filler = join(disk.path, 'filler');
  assert.throws(() => writeFileSync(filler, Buffer.alloc(4_000_000)), { code: 'ENOSPC' });
  for (let index = 0; index < 5000; index += 1) recorder.record(REQUEST);
  assert.equal(recorder.flush(), false);
  assert.deepEqual(recorder.waiting, { writable: false, requests: 5000, summed: 0, lost: 0 });
  assert.equal(lines.length, 1);
  assert.match(lines[0] ?? '', /full.*wait in memory/);
  assert.deepEqual(counts(), [1, 1], 'what is there can be read');
  rmSync(filler);
  while (!recorder.waiting.writable) await wait(20); // it tries by itself
  const [summed = 0, rows = 0] = counts();
  assert.deepEqual([summed, rows], [5001, 5001]);
  countFaults(t, 'A request recorded while the disk is full', 5000, {
    requests: 5001 - rows,
    'of the sums': 5001 - summed,
  });
  assert.match(lines[1] ?? '', /written again/);
  recorder.close();
  store.close();
});
