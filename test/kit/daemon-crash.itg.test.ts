import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Installation } from './installation.ts';
import { Machine } from './machine.ts';

const BEFORE = 'kill -KILL "$(cat "$DOCKERD")"';
const DURING = `(PATH=\${PATH#*:} exec docker "$@") & sleep 0.5; ${BEFORE}; wait $!; exit`;

/** Where Docker's daemon is killed, and the exit code of update.sh then: 3 where it can not start the service again. */
const POINTS: readonly [name: string, step: string, call: string, action: string, code: number][] = [
  ['while the new version is tried', 'trial', '*" run --detach "*', DURING, 1],
  ['while the old version is stopped', 'stop', '*" stop thoth"', DURING, 3],
  ['before the backup', 'stop', '*" backup --output -"', BEFORE, 3],
  ['before the new version is started', 'switch', '*" up --detach"*', BEFORE, 3],
  ['when it has started', 'finish', '*oneoff=True*', BEFORE, 3],
];

describe('a crash of Docker in the middle of an update', () => {
  let machine: Machine;
  let here: Installation;
  before(async () => {
    machine = await Machine.start();
    await machine.release('v1.1.0');
    here = await Installation.at(machine);
    const { code, text } = await here.install(['--version', 'v1.0.0']);
    assert.equal(code, 0, text);
    await here.remember('something');
  });
  after(() => machine.stop());

  for (const [name, step, call, action, expected] of POINTS) {
    test(`${name}: the next script finishes the update or takes it back, with no data lost`, async () => {
      const from = await here.running();
      const to = from === 'v1.0.0' ? 'v1.1.0' : 'v1.0.0';
      const env = await here.at(step, call, action);
      const DOCKERD = join(machine.dir, 'pidfile');
      const cut = await here.script('update', [to], { env: { ...env, DOCKERD } });
      await machine.restartDocker();
      assert.equal(cut.code, expected, cut.text);
      assert.match(
        cut.text,
        /Cannot connect to the Docker daemon|error during connect|EOF|connection refused/,
      );

      const next = await here.script('backup', ['--keep', '3']);
      assert.equal(next.code, 0, `${next.text}\n${await here.log()}`);
      // What ran is started again by Docker itself, which takes its time.
      let running = await here.running();
      for (let tries = 0; running === undefined && tries < 300; tries += 1) {
        await sleep(200);
        running = await here.running();
      }
      assert.ok(running === from || running === to, `${running} runs`);
      const pinned = (await here.settings()).get('THOTH_IMAGE') ?? '';
      assert.ok(pinned.includes(`:${running}@sha256:`), `${running} runs, .env has ${pinned}`);
      assert.deepEqual(await here.remembered(), ['something']);
      await here.leavesNothing();
    });
  }
});
