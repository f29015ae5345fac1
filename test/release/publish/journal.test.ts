import assert from 'node:assert/strict';
import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { ReleaseError } from '../../../src/release/errors.ts';
import { openJournal, readJournal } from '../../../src/release/publish/journal.ts';

describe('the journal of a release', () => {
  let dir: string;
  let count = 0;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'thoth-journal-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));
  const newPath = () => join(dir, `journal-${count++}.jsonl`);
  const invalid = (line: number) => (error: unknown) =>
    error instanceof ReleaseError &&
    error.code === 'JOURNAL_INVALID' &&
    error.message.includes(`Line ${line} `);

  test('writes the intent before the work, and the result after it', async () => {
    const path = newPath();
    const journal = await openJournal(path, 'plan');
    await journal.step('push', async () => {
      const entries = await readJournal(path);
      assert.deepEqual([entries.at(-1)?.event, entries.at(-1)?.step], ['begin', 'push']);
    });
    await journal.end();
    assert.deepEqual(
      (await readJournal(path)).map(({ event, step }) => [event, step]),
      [
        ['plan', undefined],
        ['begin', 'push'],
        ['done', 'push'],
        ['end', undefined],
      ],
    );
  });

  test('shows a step that failed as begun and not done', async () => {
    const path = newPath();
    const journal = await openJournal(path, 'plan');
    await assert.rejects(journal.step('tag v1', () => Promise.reject(new Error('no'))));
    assert.deepEqual((await readJournal(path)).at(-1)?.event, 'begin');
  });

  test('knows a run that was cut off from one that ended, and from that of another plan', async () => {
    const path = newPath();
    assert.equal((await openJournal(path, 'a')).resumed, false);
    assert.equal((await openJournal(path, 'b')).resumed, false);
    const again = await openJournal(path, 'a');
    assert.deepEqual([again.resumed, again.completed], [true, false]);
    await again.end();
    const third = await openJournal(path, 'a');
    assert.deepEqual([third.resumed, third.completed], [false, true]);
  });

  test('drops a last line that was cut off, wherever it was cut', async () => {
    const path = newPath();
    await (await openJournal(path, 'plan')).end();
    const whole = await readFile(path, 'utf8');
    const lastLine = whole.split('\n').at(-2) ?? '';
    for (let length = 1; length <= lastLine.length; length += 7) {
      await writeFile(path, whole + lastLine.slice(0, length));
      assert.equal((await readJournal(path)).length, 2);
      await openJournal(path, 'plan');
      assert.equal((await readJournal(path)).length, 3);
    }
  });

  const WRONG: readonly [string, string][] = [
    ['no JSON', 'nonsense\n'],
    ['another object', '{"a":1}\n'],
    ['an empty line', '\n'],
    ['an event it does not know', '{"at":"2026-01-01T00:00:00.000Z","event":"paid","plan":"00"}\n'],
  ];
  for (const [name, line] of WRONG) {
    test(`refuses ${name}, with the line's number, and changes nothing`, async () => {
      const path = newPath();
      await (await openJournal(path, 'plan')).end();
      await appendFile(path, line);
      const before = await readFile(path, 'utf8');
      await assert.rejects(openJournal(path, 'plan'), invalid(3));
      assert.equal(await readFile(path, 'utf8'), before);
    });
  }
});
