import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { Installation } from './installation.ts';
import { Machine, status } from './machine.ts';

const OPENAI = 'sk-test-0123456789';
const GOOGLE = 'AIzaTest0123456789';
/** What the scripts call: none may be handed a secret as an argument. */
const PROGRAMS = 'awk cat chmod cmp cp cut date docker env find grep head id mkdir mv rm sed sync tail tr wc';

describe('secrets.sh', () => {
  let machine: Machine;
  let here: Installation;
  before(async () => {
    machine = await Machine.start();
    here = await Installation.at(machine);
    const env = { OPENAI_API_KEY: OPENAI, GOOGLE_API_KEY: GOOGLE };
    const { code, text } = await here.install([], { env });
    assert.equal(code, 0, text);
    await writeFile(
      join(here.dir, 'docker-compose.override.yml'),
      'services: { thoth: { labels: { own: mine } } }\n',
    );
  });
  after(() => machine.stop());

  const secrets = (env: Record<string, string> = {}) => here.script('secrets', [], { env, detached: true });
  const file = (name: string) => join(here.dir, 'secrets/files', name);
  const inspected = () => machine.docker('inspect', `${here.project}-thoth-1`);

  test('where Thoth does not start with them, or somebody interrupts it, the keys stay where they were', async () => {
    const settings = await here.settings();
    const failing = await here.at('', '*" up --detach"*', "echo 'no more up' >&2; exit 1");
    const failed = await secrets(failing);
    assert.equal(failed.code, 1, failed.text);
    assert.match(failed.text, /^Thoth does not run with keys from files: .*no more up/m);
    assert.match(failed.text, /^v1\.0\.0 runs again: http/m);
    assert.deepEqual(await here.settings(), settings);

    const interrupted = await secrets(await here.at('', '*" up --detach"*', 'kill -INT 0'));
    assert.equal(interrupted.code, 130, interrupted.text);
    assert.match(interrupted.text, /^v1\.0\.0 runs again: http/m);
    assert.deepEqual(await here.settings(), settings);
    assert.equal(await here.running(), 'v1.0.0');
  });

  test('killed before the service has them, it is finished by a second run', async () => {
    await secrets(await here.at('', '*" up --detach"*', 'kill -KILL 0'));
    assert.ok((await inspected()).includes(OPENAI));
    const again = await secrets();
    assert.equal(again.code, 0, again.text);
    assert.ok(!(await inspected()).includes(OPENAI));
    assert.equal(await status(`http://127.0.0.1:${here.port}/ready`), 200);
    await here.set('OPENAI_API_KEY', OPENAI);
  });

  test('the keys are in files for the service and this user, and in no command line, output, log or inspection', async () => {
    const seen = join(machine.dir, 'seen');
    const spy = await here.shim(PROGRAMS.split(' '), `printf '%s\\n' "\${0##*/} $*" >>'${seen}'`);
    const { code, text } = await secrets(spy);
    assert.equal(code, 0, text);
    assert.match(text, /^Moved to secrets\/files: OPENAI_API_KEY$/m);
    const calls = await readFile(seen, 'utf8');
    assert.match(calls, /^mv .*openai_api_key$/m);
    for (const leak of [calls, text, await here.log(), await inspected(), (await here.script('doctor')).text])
      for (const key of [OPENAI, GOOGLE]) assert.ok(!leak.includes(key), leak);

    assert.equal(await readFile(file('openai_api_key'), 'utf8'), `${OPENAI}\n`);
    assert.equal(await readFile(file('google_api_key'), 'utf8'), `${GOOGLE}\n`);
    assert.deepEqual((await readdir(join(here.dir, 'secrets/files'))).sort(), [
      'google_api_key',
      'openai_api_key',
    ]);
    // The service's user reads them through the mount; to others of this machine the folder above is closed.
    assert.equal((await stat(join(here.dir, 'secrets'))).mode & 0o777, 0o700);
    const settings = await here.settings();
    assert.equal(settings.get('OPENAI_API_KEY'), '');
    assert.equal(settings.get('OPENAI_API_KEY_FILE'), '/run/secrets/openai_api_key');
    assert.equal((await stat(join(here.dir, '.env'))).mode & 0o777, 0o600);
    assert.equal(await status(`http://127.0.0.1:${here.port}/ready`), 200);
    const label = await machine.docker(
      'inspect',
      '--format',
      '{{.Config.Labels.own}}',
      `${here.project}-thoth-1`,
    );
    assert.equal(label, 'mine', 'docker-compose.override.yml counts as before');
  });

  test('a second run changes nothing', async () => {
    const container = await here.containerId();
    const settings = await here.settings();
    const { code, text } = await secrets();
    assert.equal(code, 0, text);
    assert.match(text, /^There is no key in \.env to move\.$/m);
    assert.equal(await here.containerId(), container);
    assert.deepEqual(await here.settings(), settings);
  });

  test('configure.sh writes another key into its file, with no restart', async () => {
    const container = await here.containerId();
    const env = { OPENAI_API_KEY: 'sk-test-9876543210' };
    const { code, text } = await here.script('configure', ['--skip-key-check'], { env });
    assert.equal(code, 0, text);
    assert.equal(await readFile(file('openai_api_key'), 'utf8'), 'sk-test-9876543210\n');
    assert.equal((await here.settings()).get('OPENAI_API_KEY'), '');
    assert.equal(await here.containerId(), container);
  });
});
