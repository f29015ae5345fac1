import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { countFaults } from '../count-faults.ts';
import { Installation } from './installation.ts';
import { Machine } from './machine.ts';

/** Each walks its share of the points, beside the others. */
const WALKERS = 3;

/**
 * Stands in for `docker` and `mv` within update.sh: at the call whose number is $AT, everything is gone at once, as
 * in a power cut: just before the call, or a moment after it began.
 */
const SHIM = `case "\${0##*/} $*" in
  mv\\ *) ;;
  *\\ inspect\\ * | *\\ ps\\ * | *\\ version* | *\\ config* | *\\ logs\\ * | *\\ exec\\ *\\ -e\\ *) REAL ;;
esac
n=$(($(cat "$COUNT") + 1))
echo "$n" >"$COUNT"
echo "\${0##*/} $*" >>"$COUNT.calls"
[ "$n" = "$AT" ] || REAL
[ "$WHEN" = before ] || { (PATH=\${PATH#*:} exec "\${0##*/}" "$@" >/dev/null 2>&1 </dev/null) & sleep 0.2; }
kill -KILL 0`.replaceAll('REAL', `PATH=\${PATH#*:} exec "\${0##*/}" "$@"`);

describe('a power cut at any step of an update', () => {
  let machine: Machine;
  let bin: string;
  before(async () => {
    machine = await Machine.start();
    await machine.release('v1.1.0');
    bin = join(machine.dir, 'power');
    await mkdir(bin);
    for (const name of ['docker', 'mv'])
      await writeFile(join(bin, name), `#!/bin/sh\n${SHIM}\n`, { mode: 0o755 });
  });
  after(() => machine.stop());

  async function installed(): Promise<Installation> {
    const here = await Installation.at(machine);
    const { code, text } = await here.install(['--version', 'v1.0.0']);
    assert.equal(code, 0, text);
    await here.remember('something');
    return here;
  }

  /** Updates to `version`, and is cut off at a call. @returns the calls until then */
  async function cut(here: Installation, version: string, at: number, when: string): Promise<string[]> {
    const count = join(machine.dir, `${here.project}.count`);
    await writeFile(count, '0');
    await rm(`${count}.calls`, { force: true });
    const env = { PATH: `${bin}:${machine.env.PATH}`, COUNT: count, AT: String(at), WHEN: when };
    await here.script('update', [version], { env, detached: true });
    return (await readFile(`${count}.calls`, 'utf8')).trim().split('\n');
  }

  test('is put right by the next run, which finishes the update or takes it back, with no data lost', async (t) => {
    const walkers = await Promise.all(Array.from({ length: WALKERS }, installed));
    const [first] = walkers;
    assert.ok(first);
    const calls = await cut(first, 'v1.1.0', 0, 'before');
    assert.equal(await first.running(), 'v1.1.0');
    const points = [
      ...calls.map((_, n) => ({ at: n + 1, when: 'before' })),
      ...calls.flatMap((call, n) => (/compose/.test(call) ? [{ at: n + 1, when: 'during' }] : [])),
    ];
    assert.ok(points.length > 20, calls.join('\n'));
    const ends = new Map<string, number>();

    const walk = async (here: Installation, number: number) => {
      for (const point of points.filter((_, n) => n % WALKERS === number)) {
        const from = await here.running();
        const to = from === 'v1.0.0' ? 'v1.1.0' : 'v1.0.0';
        const seen = await cut(here, to, point.at, point.when);
        const about = `${here.project}: ${point.when} call ${point.at} of ${from} -> ${to}: ${seen.at(-1)}`;
        const next = await here.script('backup', ['--keep', '3']);
        assert.equal(next.code, 0, `${about}\n${next.text}\n${await here.log()}`);
        const running = await here.running();
        assert.ok(running === from || running === to, `${about}: ${running} runs`);
        const pinned = (await here.settings()).get('THOTH_IMAGE') ?? '';
        assert.ok(pinned.includes(`:${running}@sha256:`), `${about}: ${running} runs, .env has ${pinned}`);
        assert.deepEqual(await here.remembered(), ['something'], about);
        await here.leavesNothing();
        const end = running === to ? 'finished' : 'taken back';
        ends.set(end, (ends.get(end) ?? 0) + 1);
      }
    };
    const walked = await Promise.allSettled(walkers.map(walk));
    for (const one of walked) if (one.status === 'rejected') throw one.reason;
    const mended = [...ends.values()].reduce((sum, count) => sum + count, 0);
    t.diagnostic([...ends].map(([end, count]) => `${count} ${end}`).join(', '));
    countFaults(t, 'A power cut in an update', points.length, { 'not mended': points.length - mended });
    assert.ok((ends.get('finished') ?? 0) > 0 && (ends.get('taken back') ?? 0) > 0);
  });
});
