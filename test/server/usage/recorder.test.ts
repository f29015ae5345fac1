import assert from 'node:assert/strict';
import { appendFileSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { pino } from 'pino';
import { Store } from '../../../src/server/store/store.ts';
import { Recorder } from '../../../src/server/usage/recorder.ts';
import { UsageReport } from '../../../src/server/usage/report.ts';
import { dataDirectory } from '../data.ts';
import { REQUEST } from './entry-fixture.ts';

const ALL = { from: 0, to: Date.now() + 7_200_000 };
/** A store that could not be opened is not tried again before. */
const PAUSE_MS = 1_050;

function open(data = dataDirectory()) {
  const lines: string[] = [];
  const store = new Store(data);
  const logger = pino({}, { write: (line: string) => void lines.push(line) });
  const recorder = new Recorder(store, logger);
  const report = new UsageReport(store);
  const journal = join(store.directory, 'usage.journal');
  return { data, store, recorder, report, journal, lines };
}

/** How many requests the sums and the rows tell of. */
function counts({ report }: ReturnType<typeof open>) {
  return [report.sums(ALL, [])[0]?.requests ?? 0, report.requests(Number.MAX_SAFE_INTEGER, 1_000_000).length];
}

test('what is recorded is read back, and summed by hour, key and model', () => {
  const { recorder, report, lines } = open();
  for (let index = 0; index < 3; index += 1) recorder.record({ ...REQUEST, request_id: `r${index}` });
  recorder.record({ ...REQUEST, key_id: 'other', status: 502, cost: null, provider: null });
  assert.equal(recorder.flush(), true);
  assert.deepEqual(
    report
      .sums(ALL, ['key', 'model'])
      .map(({ key_id, model, requests, errors, cost, unpriced }) => [
        ...[key_id, model, requests, errors, cost, unpriced],
      ]),
    [
      ['key', 'openai/gpt-4o-mini', 3, 0, 3000, 0],
      ['other', 'fast', 1, 1, 0, 1],
    ],
  );
  const [newest, ...older] = report.requests(Number.MAX_SAFE_INTEGER, 10);
  assert.equal(newest?.key_id, 'other');
  assert.deepEqual(
    older.map(({ request_id }) => request_id),
    ['r2', 'r1', 'r0'],
  );
  const { at: _, key_name: __, ...read } = older[0] ?? {};
  assert.deepEqual(read, { ...REQUEST, request_id: 'r2' });
  assert.equal(recorder.spentSince('key', 0), 3000);
  assert.deepEqual(lines, []);
});

test('it is written without being told, in batches, and the journal is emptied', async () => {
  const opened = open();
  opened.recorder.flush();
  for (let index = 0; index < 1200; index += 1) opened.recorder.record(REQUEST);
  assert.ok(statSync(opened.journal).size > 100_000);
  while (opened.recorder.waiting.requests > 0) await wait(5);
  assert.deepEqual(counts(opened), [1200, 1200]);
  assert.equal(statSync(opened.journal).size, 0);
});

describe('a process that ends without a word', () => {
  /** Records so many, the last of them not in the database, and ends there. */
  function ended() {
    const first = open();
    first.recorder.record({ ...REQUEST, request_id: 'written' });
    first.recorder.flush();
    first.recorder.record({ ...REQUEST, request_id: 'journaled' });
    return first;
  }

  test('what is in the journal is written by the next one', () => {
    const next = open(ended().data);
    next.recorder.record({ ...REQUEST, request_id: 'new' });
    next.recorder.flush();
    assert.deepEqual(counts(next), [3, 3]);
    assert.equal(statSync(next.journal).size, 0);
  });

  test('what is in the database and still in the journal counts once', () => {
    const first = ended();
    const text = readFileSync(first.journal);
    first.recorder.flush();
    writeFileSync(first.journal, text);
    const next = open(first.data);
    next.recorder.flush();
    assert.deepEqual(counts(next), [2, 2]);
  });

  const SPOILED: readonly [string, (journal: string) => void, number][] = [
    ['a last line that is cut off', (journal) => appendFileSync(journal, '[1732450000000000,"r",'), 2],
    ['a line that is none', (journal) => appendFileSync(journal, 'nonsense\n[1,2]\n{}\n'), 2],
    ['no journal', (journal) => rmSync(journal), 1],
  ];
  for (const [name, spoil, expected] of SPOILED) {
    test(`${name} is left out, and the rest is not`, () => {
      const first = ended();
      spoil(first.journal);
      const next = open(first.data);
      next.recorder.record(REQUEST);
      next.recorder.flush();
      assert.deepEqual(counts(next), [expected + 1, expected + 1]);
    });
  }
});

test('two requests of one microsecond are both kept, where the clock was set back', () => {
  const first = open();
  first.recorder.record(REQUEST);
  first.recorder.flush();
  const [row] = first.report.requests(Number.MAX_SAFE_INTEGER, 1);
  const at = row?.at ?? 0;
  first.store.transaction(() => first.store.prepare('UPDATE usage SET request_id = ?').run('earlier'));
  const line = Object.values({ ...REQUEST, at: 0 });
  writeFileSync(first.journal, `${JSON.stringify([at, ...line.slice(0, -1)])}\n`);
  const next = open(first.data);
  next.recorder.flush();
  assert.deepEqual(
    next.report.requests(Number.MAX_SAFE_INTEGER, 10).map((entry) => [entry.request_id, entry.at]),
    [
      ['request', at + 1],
      ['earlier', at],
    ],
  );
});

describe('a data directory that is not there', () => {
  test('a volume that comes later gets all that waited', async () => {
    const data = join(dataDirectory(), 'later');
    const opened = open(data);
    for (let index = 0; index < 10; index += 1) opened.recorder.record(REQUEST);
    assert.equal(opened.recorder.flush(), false);
    mkdirSync(data);
    await wait(PAUSE_MS);
    opened.recorder.flush();
    assert.deepEqual(counts(opened), [10, 10]);
  });

  test('for long: the oldest requests become sums, and the sums stay exact', async () => {
    const data = join(dataDirectory(), 'later');
    const opened = open(data);
    for (let index = 0; index < 21_000; index += 1)
      opened.recorder.record({ ...REQUEST, model: `m${index % 7}` });
    const { requests, summed, lost } = opened.recorder.waiting;
    assert.deepEqual([requests + summed, lost], [21_000, 0]);
    assert.ok(requests <= 20_000);
    mkdirSync(data);
    await wait(PAUSE_MS);
    opened.recorder.flush();
    assert.deepEqual(counts(opened), [21_000, requests]);
    assert.equal(opened.recorder.spentSince('key', 0), 21_000_000);
    assert.deepEqual(opened.recorder.waiting, { writable: true, requests: 0, summed: 0, lost: 0 });
  });
});
