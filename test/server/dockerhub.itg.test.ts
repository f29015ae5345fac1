import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { parseArgs, promisify } from 'node:util';
import { defaultOf } from '../../src/server/settings/read.ts';
import { SETTING_NAMES } from '../../src/server/settings/schema.ts';
import { type Bundle, makeBundle } from './bundle.ts';
import { freePort } from './free-port.ts';
import { Service } from './service.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/DOCKERHUB.md'), 'utf8');
const DOCKERFILE = readFileSync(join(ROOT, 'Dockerfile'), 'utf8');
const run = promisify(execFile);

/** The commands of the page, a line each. */
const commands = [...PAGE.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .flatMap(([, text = '']) =>
    text
      .replaceAll(/\\\n\s*/g, ' ')
      .trim()
      .split('\n'),
  )
  .map((line) => line.trim());

/** `docker run` as the page has it; an option that is not known here fails. */
function dockerRun() {
  const [line = ''] = commands.filter((command) => command.startsWith('docker run '));
  const { values, positionals } = parseArgs({
    args: line.split(/\s+/).slice(2),
    allowPositionals: true,
    options: {
      detach: { type: 'boolean', short: 'd' },
      name: { type: 'string' },
      restart: { type: 'string' },
      publish: { type: 'string', short: 'p' },
      env: { type: 'string', short: 'e', multiple: true },
      volume: { type: 'string', short: 'v' },
    },
  });
  return { ...values, image: positionals };
}

describe("the commands of Docker Hub's page", () => {
  let bundle: Bundle;
  let data: string;
  before(async () => {
    bundle = await makeBundle();
    data = mkdtempSync(join(tmpdir(), 'thoth-page-'));
  });
  after(() => {
    bundle.remove();
    rmSync(data, { recursive: true, force: true });
  });

  test('docker run publishes the port, keeps the data and gives settings that there are', () => {
    const { image, publish, volume, restart, env = [] } = dockerRun();
    assert.deepEqual(image, ['marcopancotti/thoth:v1']);
    assert.equal(publish, `127.0.0.1:8000:${defaultOf('PORT')}`);
    assert.match(DOCKERFILE, /^EXPOSE 8000$/m);
    assert.equal(volume, `thoth_data:${defaultOf('DATA_DIR')}`);
    assert.equal(restart, 'unless-stopped');
    const names: readonly string[] = SETTING_NAMES;
    for (const setting of env) assert.ok(names.includes(setting.split('=')[0] ?? ''), setting);
  });

  test('with the placeholder in place of a key the service ends with 78, and says which', async () => {
    const env = Object.fromEntries((dockerRun().env ?? []).map((setting) => setting.split('=', 2)));
    const service = new Service(bundle.file, [], { DATA_DIR: data, ...env });
    assert.equal(await service.ended(), 78);
    assert.match(service.stderr, /OPENAI_API_KEY/);
  });

  test('with a key every curl of the page gets an answer', async (context) => {
    const port = await freePort();
    const env = { HOST: '127.0.0.1', PORT: String(port), DATA_DIR: data, OPENAI_API_KEY: 'sk-planted' };
    const service = new Service(bundle.file, [], env);
    context.after(() => service.kill());
    await service.logged('listening');
    const curls = commands.filter((command) => command.startsWith('curl '));
    assert.ok(curls.length > 0);
    for (const line of curls) {
      const words = line.split(/\s+/).slice(1);
      const here = words.map((word) => word.replace('localhost:8000', `127.0.0.1:${port}`));
      const { stdout } = await run('curl', ['-fsS', '--noproxy', '*', ...here]);
      assert.notEqual(stdout, '', line);
    }
    for (const path of ['/health', '/ready', '/openapi.json']) {
      assert.ok(PAGE.includes(`\`${path}\``), path);
      assert.equal((await fetch(`http://127.0.0.1:${port}${path}`)).status, 200, path);
    }
  });

  test('docker exec names the program as the image has it', async () => {
    const [, words = ''] = /`docker exec thoth (\S+ \S+ version)`/.exec(PAGE) ?? [];
    const [node, program] = words.split(' ');
    const entrypoint = JSON.parse(/^ENTRYPOINT (.*)$/m.exec(DOCKERFILE)?.[1] ?? '[]') as string[];
    assert.deepEqual([node, program], [entrypoint[0], entrypoint.at(-1)]);
    const { stdout } = await run(process.execPath, [bundle.file, 'version']);
    assert.notEqual(stdout.trim(), '');
  });
});
