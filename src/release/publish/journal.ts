import { mkdir, open, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { ReleaseError } from '../errors.ts';
import { sha256 } from '../image/digest.ts';
import { diskError, readIfThere } from '../machine/file.ts';
import { parseRecord } from './record.ts';

/** One line of a journal. `plan` opens a run; `begin` and `done` stand around each step that writes. */
export const JournalEntry = z.object({
  at: z.iso.datetime(),
  event: z.enum(['plan', 'begin', 'done', 'end']),
  /** SHA-256 of the plan the run follows. */
  plan: z.string().regex(/^[0-9a-f]{64}$/),
  /** `push`, `read back`, `tag v1.0`. */
  step: z.string().optional(),
});
export type JournalEntry = z.infer<typeof JournalEntry>;

/** What a release did, in a file that only grows: each line is on the disk before the next step begins. */
export interface Journal {
  /** Whether an earlier run of the same plan began and did not end. */
  readonly resumed: boolean;
  /** Whether an earlier run of the same plan came to its end. */
  readonly completed: boolean;
  /** Writes the intent, does the work, writes that it is done. */
  step<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** The last line of a run that came to its end. */
  end(): Promise<void>;
}

/**
 * Opens the journal at `path` for a run of `plan`, and writes that it began.
 *
 * The journal is evidence, for people and for `resumed`: what is left to do is read from the registry, which
 * alone knows whether a request that was cut off had its effect.
 *
 * @param plan the plan's text; its hash ties the lines to it
 * @throws ReleaseError JOURNAL_INVALID with the line's number. A last line that was cut off is normal after a
 *   power cut: it is dropped.
 */
export async function openJournal(
  path: string,
  plan: string,
  now: () => Date = () => new Date(),
): Promise<Journal> {
  const hash = sha256(plan);
  const { entries, bytes, rest } = await readEntries(path);
  if (rest > 0) await truncate(path, bytes);
  const own = entries.filter((entry) => entry.plan === hash);
  const write = (entry: Pick<JournalEntry, 'event' | 'step'>) =>
    append(path, `${JSON.stringify({ at: now().toISOString(), ...entry, plan: hash })}\n`);
  await mkdir(dirname(path), { recursive: true });
  await write({ event: 'plan' });
  return {
    resumed: own.length > 0 && own.at(-1)?.event !== 'end',
    completed: own.some((entry) => entry.event === 'end'),
    async step(name, work) {
      await write({ event: 'begin', step: name });
      const result = await work();
      await write({ event: 'done', step: name });
      return result;
    },
    end: () => write({ event: 'end' }),
  };
}

/** The entries of a journal; none where there is no file. @throws ReleaseError JOURNAL_INVALID */
export async function readJournal(path: string): Promise<JournalEntry[]> {
  return (await readEntries(path)).entries;
}

/** `bytes` is the length of the whole lines, `rest` that of a last line without its end. */
async function readEntries(path: string): Promise<{ entries: JournalEntry[]; bytes: number; rest: number }> {
  const text = (await readIfThere(path)) ?? Buffer.alloc(0);
  const bytes = text.lastIndexOf(0x0a) + 1;
  const lines = text.subarray(0, bytes).toString('utf8').split('\n').slice(0, -1);
  const entries = lines.map((line, index) => parseLine(path, line, index + 1));
  return { entries, bytes, rest: text.length - bytes };
}

function parseLine(path: string, line: string, number: number): JournalEntry {
  return parseRecord(
    line,
    JournalEntry,
    (why, cause) =>
      new ReleaseError(
        'JOURNAL_INVALID',
        `Line ${number} of ${path} is no entry of a journal.`,
        'Somebody changed it. Move the file away and run this again: what is left to do is read from the registry.',
        why,
        cause,
      ),
  );
}

async function append(path: string, line: string): Promise<void> {
  const file = await open(path, 'a');
  try {
    await file.writeFile(line);
    await file.sync();
  } catch (error) {
    // A write that fails does not say where.
    throw diskError(Object.assign(error as Error, { path })) ?? error;
  } finally {
    await file.close();
  }
}
