import assert from 'node:assert/strict';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Failure } from '../../../src/server/failure.ts';
import { type KeyDraft, NO_LIMITS } from '../../../src/server/keys/client-key.ts';
import { makeFirstKey } from '../../../src/server/keys/first-key.ts';
import { Keyring } from '../../../src/server/keys/keyring.ts';
import { Store } from '../../../src/server/store/store.ts';
import { dataDirectory } from '../data.ts';

const DRAFT: KeyDraft = { name: 'laptop', scopes: ['chat', 'models'], expiresAt: null, limits: NO_LIMITS };
const START = Date.UTC(2026, 10, 24);

/** A keyring whose clock stands still until it is set. */
function open(data = dataDirectory()) {
  const clock = { now: START };
  const store = new Store(data);
  return { clock, store, keyring: new Keyring(store, () => clock.now) };
}

test('a token is thoth_ID_SECRET with 256 bits of secret, of which only a hash is stored', () => {
  const { store, keyring } = open();
  const tokens = new Set(Array.from({ length: 50 }, () => keyring.create(DRAFT).token));
  assert.equal(tokens.size, 50);
  store.close(); // all of it is in one file then
  const file = readFileSync(join(store.directory, 'thoth.db')).toString('latin1');
  for (const token of tokens) {
    const [, id = '', secret = ''] = /^thoth_([0-9a-f]{12})_([0-9a-f]{64})$/.exec(token) ?? [];
    assert.ok(file.includes(id));
    assert.equal(file.includes(secret), false);
    assert.equal(file.includes(Buffer.from(secret, 'hex').toString('latin1')), false);
  }
});

test('a key is what it was made as', () => {
  const { keyring } = open();
  const limits = { requestsPerMinute: 60, tokensPerMinute: 1000, monthlyBudget: 5_000_000_000 };
  const { key, token } = keyring.create({ ...DRAFT, expiresAt: START + 1, limits });
  const { id, ...rest } = key;
  assert.deepEqual(rest, { ...DRAFT, createdAt: START, expiresAt: START + 1, revokedAt: null, limits });
  assert.deepEqual(keyring.list(), [key]);
  assert.deepEqual(keyring.authenticate(token), {
    caller: { keyId: id, name: 'laptop', scopes: new Set(['chat', 'models']) },
    limits,
  });
});

describe('a token that is refused', () => {
  const { keyring } = open();
  const { token } = keyring.create(DRAFT);
  const other = keyring.create(DRAFT).token;
  const cases: readonly [string, string][] = [
    ['nothing', ''],
    ['its id alone', token.slice(0, 18)],
    ['one digit changed', token.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))],
    ['upper case', token.toUpperCase()],
    ['a space behind it', `${token} `],
    ['the secret of another key', `${token.slice(0, 18)}${other.slice(18)}`],
    ['the id of no key', `thoth_000000000000_${token.slice(19)}`],
    ['a provider’s key', 'sk-proj-0123456789'],
    ['a long text', 'thoth_'.repeat(100_000)],
  ];
  for (const [name, text] of cases) test(name, () => assert.equal(keyring.authenticate(text), 'unknown'));
});

test('a key is accepted until it expires', () => {
  const { clock, keyring } = open();
  const { token } = keyring.create({ ...DRAFT, expiresAt: START + 1000 });
  clock.now += 999;
  assert.equal(typeof keyring.authenticate(token), 'object');
  clock.now += 1;
  assert.equal(keyring.authenticate(token), 'expired');
});

test('a revoked key is refused at once, also where another process revoked it, and can not be rotated', () => {
  const data = dataDirectory();
  const [{ keyring, clock }, other] = [open(data), open(data)];
  const { key, token } = keyring.create(DRAFT);
  assert.equal(typeof keyring.authenticate(token), 'object');
  assert.equal(other.keyring.revoke(key.id)?.revokedAt, START);
  assert.equal(keyring.authenticate(token), 'unknown');
  clock.now += 1;
  assert.equal(keyring.revoke(key.id)?.revokedAt, START, 'the first time counts');
  assert.equal(keyring.rotate(key.id, 0), undefined);
  assert.equal(keyring.revoke('nobody'), undefined);
  assert.equal(keyring.rotate('nobody', 0), undefined);
});

test('a key that was looked up is not taken for another, nor for longer than it holds', () => {
  const data = dataDirectory();
  const [{ keyring, clock }, other] = [open(data), open(data)];
  const { key, token } = keyring.create({ ...DRAFT, expiresAt: START + 1000 });
  for (let count = 0; count < 3; count += 1) assert.equal(typeof keyring.authenticate(token), 'object');
  assert.equal(keyring.authenticate(token.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))), 'unknown');
  const rotated = other.keyring.rotate(key.id, 500);
  for (const one of [token, rotated?.token ?? '']) assert.equal(typeof keyring.authenticate(one), 'object');
  clock.now += 500;
  assert.equal(keyring.authenticate(token), 'expired');
  assert.equal(typeof keyring.authenticate(rotated?.token ?? ''), 'object');
  keyring.revoke(key.id);
  assert.equal(keyring.authenticate(rotated?.token ?? ''), 'unknown');
});

test('a rotated key: both secrets for the overlap, then the new one; the id and the limits stay', () => {
  const { clock, keyring } = open();
  const made = keyring.create({ ...DRAFT, limits: { ...NO_LIMITS, requestsPerMinute: 3 } });
  const rotated = keyring.rotate(made.key.id, 1000);
  assert.ok(rotated !== undefined);
  assert.deepEqual(rotated.key, made.key);
  for (const { token } of [made, rotated]) assert.equal(typeof keyring.authenticate(token), 'object');
  clock.now += 1000;
  assert.equal(keyring.authenticate(made.token), 'expired');
  assert.equal(typeof keyring.authenticate(rotated.token), 'object');
});

test('a second rotation does not give the first secret more time', () => {
  const { clock, keyring } = open();
  const first = keyring.create(DRAFT);
  keyring.rotate(first.key.id, 1000);
  keyring.rotate(first.key.id, 1_000_000);
  clock.now += 1000;
  assert.equal(keyring.authenticate(first.token), 'expired');
});

test('rotated without overlap, the old secret is refused at once', () => {
  const { keyring } = open();
  const { key, token } = keyring.create(DRAFT);
  keyring.rotate(key.id, 0);
  assert.equal(keyring.authenticate(token), 'unknown');
});

describe('the key of the hashes', () => {
  test('only its owner may read it', () => {
    const { store, keyring } = open();
    keyring.create(DRAFT);
    const { mode, size } = statSync(join(store.directory, 'hmac.key'));
    assert.deepEqual([mode & 0o777, size], [0o600, 32]);
  });

  const faults: readonly [string, (file: string) => void, RegExp][] = [
    ['missing', (file) => rmSync(file), /is missing/],
    ['cut off', (file) => writeFileSync(file, 'short'), /is damaged/],
  ];
  for (const [name, spoil, text] of faults) {
    test(`where it is ${name}, nothing is accepted and it says what to do`, () => {
      const data = dataDirectory();
      const { store, keyring } = open(data);
      const { token } = keyring.create(DRAFT);
      spoil(join(store.directory, 'hmac.key'));
      assert.throws(
        () => open(data).keyring.authenticate(token),
        (error) => error instanceof Failure && error.exitCode === 65 && text.test(error.describe()),
      );
    });
  }
});

test('the first key is made and told once, and never where there was one', () => {
  const { keyring } = open();
  const texts: string[] = [];
  makeFirstKey(keyring, (text) => texts.push(text));
  const [, token = ''] = /^ +(thoth_\S+)$/m.exec(texts[0] ?? '') ?? [];
  const accepted = keyring.authenticate(token);
  assert.ok(typeof accepted === 'object' && accepted.caller.scopes.has('admin'));
  keyring.revoke(accepted.caller.keyId);
  makeFirstKey(keyring, (text) => texts.push(text));
  assert.equal(texts.length, 1);
});
