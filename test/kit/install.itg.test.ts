import assert from 'node:assert/strict';
import { chmod, chown, mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { freePort } from '../../src/release/machine/port.ts';
import { Installation } from './installation.ts';
import { Machine, ROOT, status } from './machine.ts';
import { startProvider } from './provider.ts';

const SHELLS: readonly (readonly string[])[] = [['dash'], ['bash'], ['busybox', 'sh']];
const SECRET = 'sk-test-0123456789';

describe('install.sh', () => {
  let machine: Machine;
  before(async () => {
    machine = await Machine.start();
    await machine.release('v1.1.0');
  });
  after(() => machine.stop());

  const begin = () => Installation.at(machine);
  const mode = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);

  for (const shell of SHELLS) {
    test(`under ${shell.join(' ')}: from nothing to healthy in a path with spaces, again without a change, removed and taken up, purged`, async (t) => {
      const here = await begin();
      const started = performance.now();
      const first = await here.install([], { shell });
      assert.equal(first.code, 0, first.text);
      t.diagnostic(`from nothing to healthy: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
      assert.match(first.text, new RegExp(`Thoth v1\\.0\\.0 runs at http://127\\.0\\.0\\.1:${here.port}`));
      assert.equal(await here.running(), 'v1.0.0');
      assert.equal(await mode(join(here.dir, '.env')), '600');
      assert.equal(await mode(join(here.dir, 'logs/kit.log')), '600');
      const settings = await here.settings();
      assert.match(settings.get('THOTH_IMAGE') ?? '', /:v1\.0\.0@sha256:[0-9a-f]{64}$/);
      assert.equal(settings.get('OPENAI_API_KEY'), SECRET);

      const container = await machine.docker('inspect', '--format', '{{.Id}}', `${here.project}-thoth-1`);
      const again = await here.install([], { shell });
      assert.equal(again.code, 0, again.text);
      assert.equal(
        await machine.docker('inspect', '--format', '{{.Id}}', `${here.project}-thoth-1`),
        container,
      );
      assert.deepEqual(await here.settings(), settings);

      const status = await here.script('status', [], { shell });
      assert.equal(status.code, 0, status.text);
      assert.match(status.text, /^version +v1\.0\.0$/m);

      const removed = await here.install(['--uninstall'], { shell });
      assert.equal(removed.code, 0, removed.text);
      assert.equal(await here.running(), undefined);
      assert.match(await machine.docker('volume', 'ls'), new RegExp(`${here.project}_data`));
      assert.equal((await here.script('status', [], { shell })).code, 3);
      assert.equal((await here.install([], { shell })).code, 0);
      assert.equal(await here.running(), 'v1.0.0');

      const unsure = await here.install(['--uninstall', '--purge'], { shell });
      assert.equal(unsure.code, 1, unsure.text);
      assert.equal(await here.running(), 'v1.0.0');
      const purged = await here.install(['--uninstall', '--purge', '--yes'], { shell });
      assert.equal(purged.code, 0, purged.text);
      assert.doesNotMatch(await machine.docker('volume', 'ls'), new RegExp(here.project));
      assert.doesNotMatch(await machine.docker('network', 'ls'), new RegExp(here.project));
      await assert.rejects(stat(here.dir), /ENOENT/);
    });
  }

  test('the container is confined, and keeps secrets out of the log, the output and every command line', async () => {
    const here = await begin();
    const seen = join(machine.dir, `seen-${here.project}`);
    const env = await here.shim(['docker'], `printf '%s\\n' "$*" >>'${seen}'`);
    const { code, text } = await here.install([], { env });
    assert.equal(code, 0, text);
    const calls = await readFile(seen, 'utf8');
    assert.match(calls, /compose .*up --detach/);
    for (const leak of [text, calls, await here.log(), (await here.script('doctor')).text]) {
      assert.ok(!leak.includes(SECRET));
    }
    const format = '{{json .HostConfig}}';
    const host = JSON.parse(await machine.docker('inspect', '--format', format, `${here.project}-thoth-1`));
    assert.equal(host.ReadonlyRootfs, true);
    assert.deepEqual(host.CapDrop, ['ALL']);
    assert.deepEqual(host.SecurityOpt, ['no-new-privileges:true']);
    assert.equal(host.Memory, 512 * 1024 * 1024);
    assert.equal(host.PidsLimit, 128);
    assert.equal(host.RestartPolicy.Name, 'unless-stopped');
    assert.deepEqual(host.PortBindings['8000/tcp'], [{ HostIp: '127.0.0.1', HostPort: String(here.port) }]);
    assert.deepEqual(host.LogConfig.Config, { 'max-size': '10m', 'max-file': '5' });
    assert.equal(host.NetworkMode, `${here.project}_network`);
    await here.end();
  });

  test('a key that its provider refuses is not written, and the service goes on with the one it has', async () => {
    const here = await begin();
    const provider = await startProvider(SECRET);
    try {
      const { text } = await here.install();
      assert.match(text, /^ {4}thoth_\S+$/m);
      assert.doesNotMatch(await here.log(), /thoth_[0-9a-f]/);
      await here.set('OPENAI_BASE_URL', provider.url(await here.gateway()));
      const settings = await here.settings();
      const configure = (key: string) =>
        here.script('configure', ['--non-interactive'], { env: { OPENAI_API_KEY: key } });
      const bad = await configure('sk-bad-0123456789');
      assert.equal(bad.code, 78, bad.text);
      assert.match(bad.text, /^openai: invalid/m);
      assert.match(bad.text, /A key was not accepted, and none was written\./);
      assert.ok(!bad.text.includes('sk-bad') && !(await here.log()).includes('sk-bad'));
      assert.deepEqual(await here.settings(), settings);
      assert.equal(await here.running(), 'v1.0.0');
      const odd = await configure('sk-"quoted"');
      assert.equal(odd.code, 78, odd.text);
      const good = await configure(SECRET);
      assert.equal(good.code, 0, good.text);
    } finally {
      provider.stop();
    }
    await here.end();
  });

  test('a port that is taken is refused, with one to take in its place, and nothing is left running', async () => {
    const here = await begin();
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((done) => other.once('listening', done));
    const { port } = other.address() as AddressInfo;
    const { code, text } = await here.install(['--port', String(port)]);
    other.close();
    assert.equal(code, 78, text);
    assert.match(text, new RegExp(`Another program listens at http://127\\.0\\.0\\.1:${port}`));
    assert.match(text, new RegExp(`--port ${port + 1}`));
    assert.equal(await machine.docker('ps', '--quiet', '--filter', `name=${here.project}`), '');
    const mended = await here.install();
    assert.equal(mended.code, 0, mended.text);
    await here.end();
  });

  test('what can not be fetched, is another version or another digest is refused, and nothing is installed', async () => {
    const here = await begin();
    const wrong = `sha256:${'0'.repeat(64)}`;
    const digest = await machine.regctl('image', 'digest', `${machine.image}:v1.1.0`);
    const nobody = `127.0.0.1:${await freePort()}/marcopancotti/thoth`;
    const REFUSED: readonly [readonly string[], number, RegExp][] = [
      [['--version', 'v9.9.9'], 69, /v9\.9\.9 can not be fetched/],
      [['--version', 'v1.0.0', '--digest', wrong], 69, /can not be fetched/],
      [['--version', 'v1.0.0', '--digest', digest], 1, /says that it is 1\.1\.0, and not v1\.0\.0/],
      [['--image', nobody], 69, /can not be fetched.*refused/],
      [['--offline', '--version', 'v9.9.9'], 69, /no image .*docker load/s],
    ];
    for (const [args, expected, message] of REFUSED) {
      const { code, text } = await here.install(args);
      assert.equal(code, expected, text);
      assert.match(text, message);
      await assert.rejects(stat(here.dir), /ENOENT/);
    }
  });

  test('no image leaves the machine offline, pinned by its id where no registry named it', async () => {
    const here = await begin();
    await machine.docker('tag', `${machine.image}:latest`, 'carried/thoth:v1.0.0').catch(async () => {
      await machine.docker('pull', '--quiet', `${machine.image}:latest`);
      await machine.docker('tag', `${machine.image}:latest`, 'carried/thoth:v1.0.0');
    });
    const archive = join(machine.dir, 'carried.tar');
    await machine.docker('save', '--output', archive, 'carried/thoth:v1.0.0');
    await machine.docker(
      'image',
      'rm',
      '--force',
      await machine.docker('image', 'inspect', '--format', '{{.Id}}', 'carried/thoth:v1.0.0'),
    );
    await machine.docker('load', '--input', archive);
    const { code, text } = await here.install([
      '--image',
      'carried/thoth',
      '--version',
      'v1.0.0',
      '--offline',
    ]);
    assert.equal(code, 0, text);
    assert.match((await here.settings()).get('THOTH_IMAGE') ?? '', /^sha256:[0-9a-f]{64}$/);
    assert.equal(await here.running(), 'v1.0.0');
    await here.end();
    await rm(archive);
  });

  test('--dry-run says what it would do, and does nothing', async () => {
    const here = await begin();
    const images = async () => (await machine.docker('image', 'ls', '--quiet')).split('\n').sort();
    const before = await images();
    const { code, text } = await here.install(['--dry-run']);
    assert.equal(code, 0, text);
    assert.match(text, /^Would fetch .*:latest, lay it out in /m);
    await assert.rejects(stat(here.dir), /ENOENT/);
    assert.deepEqual(await images(), before);
  });

  test('a full disk is refused before anything is fetched', async () => {
    const here = await begin();
    await mkdir(here.dir);
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', here.dir]);
    try {
      const { code, text } = await here.install();
      assert.equal(code, 69, text);
      assert.match(text, /^There are \d MB free for .*, and \d+ are needed\.$/m);
      assert.deepEqual(await readdir(here.dir), []);
    } finally {
      await execa('umount', [here.dir]);
    }
  });

  test('a read-only file system is refused', async () => {
    const here = await begin();
    await mkdir(here.dir);
    await execa('mount', ['-t', 'tmpfs', '-o', 'ro,size=1g', 'tmpfs', here.dir]);
    try {
      const { code, text } = await here.install();
      assert.equal(code, 77, text);
      assert.match(text, /^This user may not write .*\n.*--dir/);
    } finally {
      await execa('umount', [here.dir]);
    }
  });

  describe('for a user who is not root', () => {
    const user = { uid: 1_000, gid: 1_000 };
    let home: string;
    before(async () => {
      home = join(machine.dir, 'user home');
      await mkdir(home);
      await chown(home, user.uid, user.gid);
      await chmod(machine.dir, 0o755);
      await chmod(join(machine.dir, 'docker.sock'), 0o666);
    });

    test('with a volume', async () => {
      const here = await Installation.at(machine, 'user home/with volume');
      const { code, text } = await here.install([], user);
      assert.equal(code, 0, text);
      assert.equal(await status(`http://127.0.0.1:${here.port}/ready`), 200);
      await here.install(['--uninstall', '--purge', '--yes'], user);
      await assert.rejects(stat(here.dir), /ENOENT/);
    });

    test('with a folder of his own for the data, whose files are his', async () => {
      const here = await Installation.at(machine, 'user home/with folder');
      const data = join(home, 'the data');
      const { code, text } = await here.install(['--data', data], user);
      assert.equal(code, 0, text);
      assert.equal(await status(`http://127.0.0.1:${here.port}/ready`), 200);
      assert.equal((await here.settings()).get('THOTH_USER'), '1000:1000');
      await here.install(['--uninstall', '--purge', '--yes'], user);
      assert.equal((await stat(data)).uid, 1_000);
    });

    test('a folder that he may not write is refused', async () => {
      const here = await begin();
      await mkdir(here.dir, { mode: 0o755 });
      const { code, text } = await here.install([], user);
      assert.equal(code, 77, text);
      assert.match(text, /may not write/);
    });

    test('without a right to use Docker he is told how to get it', async () => {
      const here = await Installation.at(machine, 'user home/without docker');
      await chmod(join(machine.dir, 'docker.sock'), 0o600);
      const { code, text } = await here.install([], user);
      await chmod(join(machine.dir, 'docker.sock'), 0o666);
      assert.equal(code, 77, text);
      assert.match(text, /^This user may not use Docker\.\n.*usermod -aG docker/);
    });
  });

  test('root with a folder for the data hands it to the user of the service', async () => {
    const here = await begin();
    const data = join(machine.dir, 'data of root');
    const { code, text } = await here.install(['--data', data]);
    assert.equal(code, 0, text);
    assert.equal(await status(`http://127.0.0.1:${here.port}/ready`), 200);
    assert.equal((await stat(data)).uid, 65_532);
    await here.install(['--uninstall', '--purge', '--yes']);
    await stat(data);
  });

  test('one file alone is enough: it comes through a pipe', async () => {
    const here = await begin();
    const { code, text } = await machine.run(
      '-s',
      [
        '--',
        '--dir',
        here.dir,
        '--project',
        here.project,
        '--port',
        String(here.port),
        '--image',
        machine.image,
        '--skip-key-check',
      ],
      { input: await readFile(join(ROOT, 'scripts/install.sh'), 'utf8'), detached: true },
    );
    assert.equal(code, 0, text);
    assert.match(text, /is not ready to serve yet\.\n.*OPENAI_API_KEY/s);
    assert.equal(await here.running(), 'v1.0.0');
    await here.end();
  });
});
