import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { countFaults } from '../count-faults.ts';
import { Installation } from './installation.ts';
import { Machine, status } from './machine.ts';

const CHANGES = 20;
const WRITERS = 1;
const PROBE_MS = 40;

const Issued = z.object({ id: z.string() });
const Listed = z.object({ data: z.array(z.object({ id: z.string() })) });

describe('updates and rollbacks under load', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.start();
    await machine.release('v1.1.0');
  });
  after(() => machine.stop());

  test(`${CHANGES} in a row lose no write that was acknowledged, and stop the service for seconds`, async (t) => {
    const here = await Installation.at(machine);
    const installed = await here.install(['--version', 'v1.0.0']);
    assert.equal(installed.code, 0, installed.text);
    const [admin] = /thoth_\S+/.exec(installed.text) ?? [];
    assert.ok(admin, installed.text);
    const url = `http://127.0.0.1:${here.port}`;
    const headers = {
      authorization: `Bearer ${admin}`,
      'content-type': 'application/json',
      connection: 'close',
    };

    let over = false;
    const acknowledged: string[] = [];
    const write = async () => {
      for (let n = 0; !over; n += 1) {
        const body = JSON.stringify({ name: `written ${n}`, scopes: ['chat'] });
        try {
          const answer = await fetch(`${url}/v1/keys`, {
            method: 'POST',
            headers,
            body,
            signal: AbortSignal.timeout(5_000),
          });
          if (answer.ok) acknowledged.push(Issued.parse(await answer.json()).id);
        } catch {
          // Not acknowledged: nobody was promised anything.
        }
        await sleep(PROBE_MS);
      }
    };
    let downSince: number | undefined;
    const gaps: number[] = [];
    const watch = async () => {
      for (; !over; await sleep(PROBE_MS)) {
        const now = performance.now();
        if ((await status(`${url}/health`)) !== 200) downSince ??= now;
        else if (downSince !== undefined) {
          gaps.push(now - downSince);
          downSince = undefined;
        }
      }
    };
    const load = [watch(), ...Array.from({ length: WRITERS }, write)];
    const started = performance.now();
    for (let n = 0; n < CHANGES / 2; n += 1) {
      const updated = await here.script('update', ['v1.1.0'], { env: { THOTH_KEEP_BACKUPS: '3' } });
      assert.equal(updated.code, 0, updated.text);
      assert.equal(await here.running(), 'v1.1.0');
      const back = await here.script('rollback', ['v1.0.0'], { env: { THOTH_KEEP_BACKUPS: '3' } });
      assert.equal(back.code, 0, back.text);
      assert.equal(await here.running(), 'v1.0.0');
    }
    const seconds = (performance.now() - started) / 1_000;
    over = true;
    await Promise.all(load);

    const listed = Listed.parse(await (await fetch(`${url}/v1/keys`, { headers })).json());
    const there = new Set(listed.data.map(({ id }) => id));
    assert.ok(acknowledged.length > CHANGES);
    const lost = acknowledged.filter((id) => !there.has(id));
    assert.deepEqual(lost, []);
    const sorted = gaps.map((ms) => ms / 1_000).sort((a, b) => a - b);
    t.diagnostic(
      `${CHANGES} changes in ${seconds.toFixed(0)} s, ${acknowledged.length} writes acknowledged; ` +
        `not answering: ${sorted.length} times, median ${sorted[sorted.length >> 1]?.toFixed(2)} s, longest ${sorted.at(-1)?.toFixed(2)} s`,
    );
    countFaults(t, 'An update or a rollback while clients write', CHANGES, {
      'acknowledged writes': lost.length,
    });
  });
});
