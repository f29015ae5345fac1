import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Failure } from '../../../src/server/failure.ts';
import { MIGRATIONS, migrate, SCHEMA, schemaOf } from '../../../src/server/store/migrations.ts';
import { dataDirectory } from '../data.ts';

const TABLES = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' ORDER BY name";

/** A database of an earlier schema. */
function databaseOf(schema: number): DatabaseSync {
  const database = new DatabaseSync(join(dataDirectory(), 'test.db'));
  for (const step of MIGRATIONS.slice(0, schema)) database.exec(step);
  database.exec(`PRAGMA user_version = ${schema}`);
  return database;
}

for (let schema = 0; schema <= SCHEMA; schema += 1) {
  test(`schema ${schema} becomes ${SCHEMA}, and stays so`, () => {
    const database = databaseOf(schema);
    migrate(database);
    migrate(database);
    assert.equal(schemaOf(database), SCHEMA);
    assert.deepEqual(database.prepare(TABLES).all(), databaseOf(SCHEMA).prepare(TABLES).all());
    database.close();
  });
}

test('what was there before is there after', () => {
  const database = databaseOf(1);
  database.exec("INSERT INTO client_key VALUES ('id', 'name', 'chat', 1, NULL, NULL, NULL, NULL, NULL)");
  migrate(database);
  assert.equal(database.prepare('SELECT name FROM client_key').get()?.name, 'name');
});

test('a newer schema is refused with what to do, and left as it is', () => {
  const database = databaseOf(SCHEMA);
  database.exec(`PRAGMA user_version = ${SCHEMA + 1}`);
  assert.throws(
    () => migrate(database),
    (error) => {
      assert.ok(error instanceof Failure);
      assert.equal(error.exitCode, 65);
      assert.match(
        error.describe(),
        new RegExp(`schema is ${SCHEMA + 1}, and this version knows up to ${SCHEMA}`),
      );
      return true;
    },
  );
  assert.equal(schemaOf(database), SCHEMA + 1);
});

test('a step that fails is undone as a whole', () => {
  const database = databaseOf(1);
  database.exec('CREATE TABLE usage_hour (a)'); // in the way of the second step's last statement
  assert.throws(() => migrate(database), /already exists/);
  assert.equal(schemaOf(database), 1);
  assert.equal(database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'usage'").get(), undefined);
});
