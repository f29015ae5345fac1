import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { describeExpired, IGNORE_FILE, readIgnored } from '../../../src/release/scan/ignored.ts';
import { failure } from '../machine/failure.ts';

const folder = await mkdtemp(join(tmpdir(), 'thoth-ignored-'));
after(() => rm(folder, { recursive: true, force: true }));
const NOON = new Date('2026-06-30T12:00:00Z');

async function read(text: string, now = NOON) {
  const project = await mkdtemp(join(folder, 'project-'));
  await mkdir(dirname(join(project, IGNORE_FILE)));
  await writeFile(join(project, IGNORE_FILE), text);
  return readIgnored(project, now);
}
const entry = (until: string) => `- id: CVE-2026-1
  in: openssl
  reason: the function is never called
  owner: ada@example.com
  until: ${until}
`;

test('an entry is read', async () => {
  const expected = {
    id: 'CVE-2026-1',
    in: 'openssl',
    reason: 'the function is never called',
    owner: 'ada@example.com',
    until: '2026-07-01',
  };
  assert.deepEqual(await read(`# why\n${entry('2026-07-01')}`), { ignored: [expected], expired: [] });
});

test('whatever looks like a number is a text', async () => {
  const { ignored } = await read(entry('2026-07-01').replace('openssl', '1.10'));
  assert.equal(ignored[0]?.in, '1.10');
});

const lasting: readonly (readonly [string, string, Date, number])[] = [
  ['counts on its last day', '2026-06-30', NOON, 1],
  ['counts before', '2027-01-01', NOON, 1],
  ['has ended a day later', '2026-06-29', NOON, 0],
  ['counts to the last second of that day, in UTC', '2026-06-30', new Date('2026-06-30T23:59:59Z'), 1],
  ['has ended at midnight', '2026-06-30', new Date('2026-07-01T00:00:00Z'), 0],
];
for (const [name, until, now, count] of lasting) {
  test(`an entry ${name}`, async () => {
    const { ignored, expired } = await read(entry(until), now);
    assert.deepEqual([ignored.length, expired.length], [count, 1 - count]);
  });
}

test('an entry that has ended is named with its owner and its day', async () => {
  const { expired } = await read(entry('2026-06-29'));
  assert.deepEqual(expired.map(describeExpired), [
    'exception CVE-2026-1 in openssl ended on 2026-06-29; its owner is ada@example.com (security/ignore.yaml)',
  ]);
});

test('no file, and a file with nothing in it, ignore nothing', async () => {
  const nothing = { ignored: [], expired: [] };
  assert.deepEqual(await readIgnored(join(folder, 'none'), NOON), nothing);
  for (const text of ['', '# nothing\n', '[]']) assert.deepEqual(await read(text), nothing);
});

const wrong: readonly (readonly [string, string, readonly RegExp[]])[] = [
  ['no reason', entry('2026-07-01').replace(/ {2}reason.*\n/, ''), [/^0 reason: /]],
  [
    'a reason that says nothing',
    entry('2026-07-01').replace(/reason:.*/, 'reason: ok'),
    [/^0 reason: says too little/],
  ],
  [
    'a reason of blanks',
    entry('2026-07-01').replace(/reason:.*/, 'reason: "   ok          "'),
    [/^0 reason: says too little/],
  ],
  ['an owner of blanks', entry('2026-07-01').replace(/owner:.*/, 'owner: "  "'), [/^0 owner: is empty/]],
  ['no owner', entry('2026-07-01').replace(/ {2}owner.*\n/, ''), [/^0 owner: /]],
  ['no end', entry('2026-07-01').replace(/ {2}until.*\n/, ''), [/^0 until: /]],
  ['an end that is no date', entry('soon'), [/^0 until: is not a date/]],
  ['an end that is no day of the calendar', entry('2026-02-30'), [/^0 until: is not a date/]],
  ['no place', entry('2026-07-01').replace(/ {2}in.*\n/, ''), [/^0 in: /]],
  ['a word that nobody knows', `${entry('2026-07-01')}  untill: 2026-07-01\n`, [/^0: .*untill/]],
  ['no list', 'id: CVE-1\n', [/^the file: /]],
  ['no YAML', '- id: [', [/./]],
  [
    'faults of two entries',
    entry('soon').replace(/reason:.*/, 'reason: ok') + entry('2026-07-01').replace(/owner:.*/, 'owner: ""'),
    [/^0 reason/, /^0 until/, /^1 owner: is empty/],
  ],
];
for (const [name, text, faults] of wrong) {
  test(`a fault: ${name}`, async () => {
    const error = await failure(read(text));
    assert.equal(error.code, 'SETTING_INVALID');
    for (const [n, fault] of faults.entries()) assert.match(error.details[n] ?? '', fault);
  });
}

test('a file that can not be read is not taken for none', async () => {
  const project = join(folder, 'unreadable');
  await mkdir(join(project, IGNORE_FILE), { recursive: true });
  await assert.rejects(readIgnored(project, NOON), { code: 'EISDIR' });
});
