import assert from 'node:assert/strict';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, test } from 'node:test';
import { packTar } from 'modern-tar/fs';
import { pino } from 'pino';
import { Failure } from '../../../src/server/failure.ts';
import { NO_LIMITS } from '../../../src/server/keys/client-key.ts';
import { hashKeyFile } from '../../../src/server/keys/hash-key.ts';
import { Keyring } from '../../../src/server/keys/keyring.ts';
import { makeBackup } from '../../../src/server/store/backup.ts';
import { MIGRATIONS, SCHEMA } from '../../../src/server/store/migrations.ts';
import { restore } from '../../../src/server/store/restore.ts';
import { takeServiceLock } from '../../../src/server/store/service-lock.ts';
import { Store } from '../../../src/server/store/store.ts';
import { Recorder } from '../../../src/server/usage/recorder.ts';
import { UsageReport } from '../../../src/server/usage/report.ts';
import { dataDirectory } from '../data.ts';
import { REQUEST } from '../usage/entry-fixture.ts';

const DRAFT = { name: 'kept', scopes: ['chat'], expiresAt: null, limits: NO_LIMITS } as const;
const silent = pino({ level: 'silent' });

/** A data directory with a key. */
function withKey() {
  const data = dataDirectory();
  const store = new Store(data);
  const { token } = new Keyring(store).create(DRAFT);
  return { data, store, token };
}

async function backedUp(data: string): Promise<Buffer> {
  const made = await makeBackup(data);
  try {
    return await buffer(made.archive);
  } finally {
    made.remove();
  }
}

/** Whether the keys of the data directory accept a token. */
function accepts(data: string, token: string): boolean {
  const store = new Store(data);
  try {
    return typeof new Keyring(store).authenticate(token) === 'object';
  } finally {
    store.close();
  }
}

async function failureOf(work: Promise<unknown>): Promise<Failure> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Failure) return error;
  throw error ?? new assert.AssertionError({ message: 'it did not fail' });
}

test('a backup is restored elsewhere, keys and usage; what the journal alone has, too', async () => {
  const { data, store, token } = withKey();
  const recorder = new Recorder(store, silent);
  recorder.record(REQUEST);
  recorder.flush();
  recorder.record(REQUEST); // in the journal
  const archive = await backedUp(data);
  assert.deepEqual(readdirSync(data).sort(), ['store'], 'nothing is left of it');
  const other = dataDirectory();
  const { manifest, schema, replaced } = await restore(other, Readable.from(archive), false);
  assert.deepEqual([manifest.schema, schema, replaced], [SCHEMA, SCHEMA, undefined]);
  assert.ok(accepts(other, token));
  const restored = new Store(other);
  assert.equal(new Recorder(restored, silent).flush(), true);
  assert.equal(new UsageReport(restored).requests(Number.MAX_SAFE_INTEGER, 10).length, 2);
  for (const one of [store, restored]) one.close();
});

test('what was there before is kept aside, until the next restore', async () => {
  const [old, fresh] = [withKey(), withKey()];
  old.store.close();
  const archive = await backedUp(fresh.data);
  for (let count = 0; count < 2; count += 1) {
    const { replaced = '' } = await restore(old.data, Readable.from(archive), false);
    assert.ok(accepts(old.data, fresh.token));
    assert.ok(existsSync(join(replaced, 'thoth.db')));
  }
  assert.deepEqual(readdirSync(old.data).sort(), ['replaced', 'service.lock', 'store']);
});

test('a backup of an earlier schema is brought to this one', async () => {
  const { data, store, token } = withKey();
  store.close();
  // The same keys, as the first version had them.
  const path = join(data, 'store/thoth.db');
  renameSync(path, `${path}.new`);
  const database = new DatabaseSync(path);
  database.exec(MIGRATIONS[0] ?? '');
  database.exec(`PRAGMA user_version = 1; ATTACH '${path}.new' AS new;
    INSERT INTO client_key SELECT * FROM new.client_key; INSERT INTO client_secret SELECT * FROM new.client_secret`);
  database.close();
  const archive = await backedUp(data);
  assert.equal(new DatabaseSync(path).prepare('PRAGMA user_version').get()?.user_version, 1, 'not migrated');
  const other = dataDirectory();
  const { manifest, schema } = await restore(other, Readable.from(archive), false);
  assert.deepEqual([manifest.schema, schema], [1, SCHEMA]);
  assert.ok(accepts(other, token));
});

describe('what is refused changes nothing', () => {
  const { data, store, token } = withKey();
  store.close();
  const database = readFileSync(join(data, 'store/thoth.db'));
  const MANIFEST = {
    format: 1,
    thoth: '1.0.0',
    schema: SCHEMA,
    created_at: '2026-11-24T00:00:00Z',
    files: [] as object[],
  };
  const pack = async (entries: Readonly<Record<string, string | Buffer>>): Promise<Buffer> =>
    await buffer(
      packTar(Object.entries(entries).map(([target, content]) => ({ type: 'content', target, content }))),
    );
  const flipped = async () => {
    const archive = await backedUp(data);
    const at = archive.indexOf('client_secret');
    archive[at] = (archive[at] ?? 0) ^ 1;
    return archive;
  };
  const cases: readonly [string, () => Promise<Buffer>, RegExp][] = [
    ['no archive', async () => Buffer.from('hello'), /./],
    ['nothing', async () => Buffer.alloc(0), /manifest\.json is missing/],
    ['an archive of something else', () => pack({ 'file.txt': 'hello' }), /manifest\.json is missing/],
    ['cut off', async () => (await backedUp(data)).subarray(0, 10_000), /./],
    ['a bit changed', flipped, /checksum of thoth\.db is another/],
    ['no JSON', () => pack({ 'manifest.json': '{' }), /can not be read/],
    ['no database', () => pack({ 'manifest.json': JSON.stringify(MANIFEST) }), /thoth\.db is missing/],
    [
      'a newer schema',
      () =>
        pack({ 'manifest.json': JSON.stringify({ ...MANIFEST, schema: SCHEMA + 1 }), 'thoth.db': database }),
      /is of a newer Thoth[\s\S]*schema is \d, and this version knows up to \d/,
    ],
  ];
  for (const [name, make, text] of cases) {
    test(name, async () => {
      const failure = await failureOf(restore(data, Readable.from(await make()), false));
      assert.equal(failure.exitCode, 65);
      assert.match(failure.describe(), text);
      assert.ok(accepts(data, token));
      assert.deepEqual(
        readdirSync(data).filter((file) => !/^(store|service\.lock)$/.test(file)),
        [],
      );
    });
  }

  test('while a service runs, unless that is wanted', async () => {
    const archive = await backedUp(data);
    const lock = takeServiceLock(data);
    const failure = await failureOf(restore(data, Readable.from(archive), false));
    assert.equal(failure.exitCode, 75);
    await restore(data, Readable.from(archive), true);
    lock.release();
    assert.ok(accepts(data, token));
  });

  test('a data directory that is missing', async () => {
    const archive = await backedUp(data);
    const failure = await failureOf(restore('/nowhere/at/all', Readable.from(archive), false));
    assert.equal(failure.exitCode, 74);
  });
});

test('a restore that was cut off in the middle is finished by who comes next', async () => {
  const { data, store, token } = withKey();
  store.close();
  renameSync(join(data, 'store'), join(data, 'restore.ready')); // the old store is aside, the new one not in place
  assert.ok(accepts(data, token));
});

test('one that was cut off before had no effect', async () => {
  const { data, store, token } = withKey();
  store.close();
  for (const name of ['restore.ready', 'restore.partial']) mkdirSync(join(data, name));
  assert.ok(accepts(data, token));
  await restore(data, Readable.from(await backedUp(data)), false);
  assert.ok(accepts(data, token));
});

describe('what can not be backed up', () => {
  test('nothing', async () => {
    assert.equal((await failureOf(makeBackup(dataDirectory()))).exitCode, 74);
  });

  test('data of a newer Thoth', async () => {
    const { data, store } = withKey();
    store.transaction(() => store.database().exec(`PRAGMA user_version = ${SCHEMA + 1}`));
    store.close();
    assert.equal((await failureOf(makeBackup(data))).exitCode, 65);
  });
});

test('a database that is damaged is found before it takes the place of the data', async () => {
  const { data, store, token } = withKey();
  store.close();
  const damaged = withKey();
  damaged.store.close();
  const path = join(damaged.data, 'store/thoth.db');
  const bytes = readFileSync(path);
  bytes.fill(0xff, 8192, 12_000); // a page in the middle
  writeFileSync(path, bytes);
  const failure = await failureOf(
    backedUp(damaged.data).then((archive) => restore(data, Readable.from(archive), false)),
  );
  assert.equal(failure.exitCode, 65);
  assert.ok(accepts(data, token));
  assert.ok(existsSync(hashKeyFile(join(data, 'store'))));
});

test('a file is read as well as a stream', async () => {
  const { data, store, token } = withKey();
  store.close();
  const file = join(data, 'backup.tar');
  writeFileSync(file, await backedUp(data));
  await restore(data, createReadStream(file), false);
  assert.ok(accepts(data, token));
});
