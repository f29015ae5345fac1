import assert from 'node:assert/strict';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { execa } from 'execa';
import { freePort } from '../../src/release/machine/port.ts';
import { type Ended, Machine, ROOT, status } from './machine.ts';

/** What docs/DEPLOYMENT.md asks for, besides Docker: curl or wget. The other tests have curl. */
const PACKAGES = ['wget'];
/** Runs a script as root of the system in the folder $1, with the Docker socket $2. */
const ENTER = `mount -t proc proc "$1/proc"
touch "$1/run/docker.sock"
mount --bind "$2" "$1/run/docker.sock"
root=$1
shift 2
exec chroot "$root" /bin/sh -c 'cd && exec "$@"' sh "$@"`;
const RESTORE = 'thoth/scripts/restore.sh "$(thoth/scripts/backup.sh --list | head -n 1)" --yes';

describe('a new Debian with nothing but what docs/DEPLOYMENT.md asks for', () => {
  let machine: Machine;
  let root: string;
  before(async () => {
    machine = await Machine.start();
    await machine.release('v1.1.0');
    root = join(machine.dir, 'debian');
    const suite = process.env.THOTH_DEBIAN_SUITE ?? 'bookworm';
    const without = ['doc', 'man', 'locale', 'info'].map(
      (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
    );
    const options = ['--quiet', '--variant=essential', `--include=${PACKAGES.join(',')}`, ...without];
    await execa('mmdebstrap', [...options, suite, root]);
    const docker = (await execa('sh', ['-c', 'command -v docker'], { env: machine.env, extendEnv: false }))
      .stdout;
    await put(docker, 'usr/bin/docker');
    await put(
      join(machine.env.HOME ?? '', '.docker/cli-plugins/docker-compose'),
      'usr/libexec/docker/cli-plugins/docker-compose',
    );
    await put(join(ROOT, 'scripts/install.sh'), 'root/install.sh');
  });
  after(() => machine.stop());

  async function put(file: string, place: string): Promise<void> {
    await mkdir(join(root, dirname(place)), { recursive: true });
    await copyFile(file, join(root, place));
  }

  /** Runs a command there. */
  async function inside(...command: string[]): Promise<Ended> {
    const env = {
      HOME: '/root',
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      DOCKER_HOST: 'unix:///run/docker.sock',
      OPENAI_API_KEY: 'sk-test-0123456789',
    };
    const socket = join(machine.dir, 'docker.sock');
    const enter = ['--mount', 'sh', '-c', ENTER, 'sh', root, socket];
    const { exitCode, all } = await execa('unshare', [...enter, ...command], {
      env,
      extendEnv: false,
      reject: false,
      all: true,
      stdin: 'ignore',
    });
    return { code: exitCode, text: all };
  }

  test('installs, updates, goes back, backs up, restores and removes Thoth', async (t) => {
    assert.notEqual((await inside('curl', '--version')).code, 0, 'curl is not there');
    const port = await freePort();
    const url = `http://127.0.0.1:${port}/health`;
    const place = ['--project', 'debian', '--port', String(port), '--image', machine.image];
    const started = performance.now();
    const STEPS: readonly [readonly string[], RegExp][] = [
      [
        ['sh', 'install.sh', ...place, '--version', 'v1.0.0', '--skip-key-check'],
        /^Thoth v1\.0\.0 runs at http/m,
      ],
      [['thoth/scripts/status.sh'], /^health +ok$/m],
      [['thoth/scripts/update.sh', 'v1.1.0'], /^Updated from v1\.0\.0 to v1\.1\.0/m],
      [['thoth/scripts/rollback.sh'], /^Went back from v1\.1\.0 to v1\.0\.0/m],
      [['thoth/scripts/backup.sh'], /^\/root\/thoth\/backups\/\S+-v1\.0\.0$/m],
      [['sh', '-c', RESTORE], /^Restored \S+-v1\.0\.0: v1\.0\.0 runs at http/m],
    ];
    for (const [command, told] of STEPS) {
      const { code, text } = await inside(...command);
      assert.equal(code, 0, `${command.join(' ')}: ${text}`);
      assert.match(text, told);
      assert.equal(await status(url), 200);
      if (command.includes('install.sh'))
        t.diagnostic(`from nothing to healthy: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
    }
    const { code, text } = await inside('thoth/scripts/uninstall.sh', '--purge', '--yes');
    assert.equal(code, 0, text);
    assert.equal(await status(url), 0);
    assert.equal((await inside('ls', '-A', '/root')).text.includes('thoth'), false);
  });
});
