import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { Failure } from '../../../src/server/failure.ts';
import { NO_LIMITS } from '../../../src/server/keys/client-key.ts';
import { Keyring } from '../../../src/server/keys/keyring.ts';
import { Store } from '../../../src/server/store/store.ts';
import { dataDirectory } from '../data.ts';

const DRAFT = { name: 'test', scopes: ['chat'], expiresAt: null, limits: NO_LIMITS } as const;
/** A failed opening is not tried again before. */
const PAUSE_MS = 1_050;

function failureOf(work: () => unknown): Failure {
  try {
    work();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new assert.AssertionError({ message: 'it did not fail' });
}

test('only its owner may read what it makes, and it can be read at the same time by others', () => {
  const data = dataDirectory();
  const [store, other] = [new Store(data), new Store(data)];
  new Keyring(store).create(DRAFT);
  assert.equal(new Keyring(other).list().length, 1);
  assert.equal(statSync(store.directory).mode & 0o777, 0o700);
  const files = readdirSync(store.directory);
  assert.deepEqual(files.sort(), ['hmac.key', 'thoth.db', 'thoth.db-shm', 'thoth.db-wal']);
  for (const file of files) assert.equal(statSync(join(store.directory, file)).mode & 0o777, 0o600, file);
  for (const one of [store, other]) one.close();
});

test('its settings: write-ahead log, foreign keys, waits for other writers', () => {
  const store = new Store(dataDirectory());
  const read = (pragma: string) => Object.values(store.prepare(`PRAGMA ${pragma}`).get() ?? {})[0];
  assert.deepEqual(['journal_mode', 'foreign_keys', 'synchronous', 'busy_timeout'].map(read), [
    'wal',
    1,
    1,
    5000,
  ]);
  store.transaction(() => assert.equal(read('synchronous'), 2), { durable: true });
  assert.equal(read('synchronous'), 1);
  store.close();
});

test('a transaction that fails is undone', () => {
  const store = new Store(dataDirectory());
  const keyring = new Keyring(store);
  assert.throws(() =>
    store.transaction(() => {
      store
        .prepare("INSERT INTO client_key VALUES ('id', 'n', 'chat', 1, NULL, NULL, NULL, NULL, NULL)")
        .run();
      throw new Error('planted');
    }),
  );
  assert.deepEqual(keyring.list(), []);
  store.close();
});

const UNUSABLE: readonly [string, (data: string) => string, number, RegExp][] = [
  ['missing', (data) => join(data, 'none'), 74, /does not exist/],
  ['a file', (data) => fileIn(data, 'file', ''), 74, /is not a directory/],
  [
    'with a database that is none',
    (data) => {
      mkdirSync(join(data, 'store'));
      fileIn(
        data,
        'store/thoth.db',
        'no database at all, but long enough to be taken for the head of one'.repeat(20),
      );
      return data;
    },
    65,
    /is no database of Thoth\n.*thoth restore/,
  ],
];
for (const [name, make, exitCode, text] of UNUSABLE) {
  test(`a data directory that can not be used: ${name}`, () => {
    const store = new Store(make(dataDirectory()));
    const failure = failureOf(() => store.open());
    assert.equal(failure.exitCode, exitCode);
    assert.match(failure.describe(), text);
    assert.equal(store.check()?.problem, failure.faults[0]?.problem);
  });
}

function fileIn(data: string, name: string, text: string): string {
  writeFileSync(join(data, name), text);
  return join(data, name);
}

test('a directory that appears later is used then', async () => {
  const data = join(dataDirectory(), 'later');
  const store = new Store(data);
  assert.match(store.check()?.problem ?? '', /does not exist/);
  mkdirSync(data);
  await wait(PAUSE_MS);
  assert.equal(store.check(), undefined);
  store.close();
});

test('two services on one data directory: the second is refused until the first is gone', async () => {
  const data = dataDirectory();
  const [first, second] = [new Store(data, { service: true }), new Store(data, { service: true })];
  first.open();
  new Store(data).open(); // a command is none
  const failure = failureOf(() => second.open());
  assert.equal(failure.exitCode, 75);
  first.close();
  await wait(PAUSE_MS);
  second.open();
  second.close();
});
