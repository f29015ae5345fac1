import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

const ROOT = resolve(import.meta.dirname, '../..');
/** All that tools/install.sh and the stand-ins below may call; the rest of the machine is out of reach. */
const PROGRAMS = [
  ...[
    'sh',
    'sed',
    'cat',
    'git',
    'expr',
    'mktemp',
    'rm',
    'mv',
    'mkdir',
    'tail',
    'cut',
    'date',
    'sleep',
    'grep',
  ],
  ...['dirname', 'env', 'chmod', 'tr', 'uname', 'tar', 'gzip', 'cp', 'ln'],
];

/** Stands in for Go: writes a program where `-o` says, after it has noted the call; `GO_FAILS` prints and fails. */
const GO = `#!/bin/sh
case $1 in
  env) echo "go\${GO_VERSION:-1.30.0}" && exit ;;
  version) echo "go version go\${GO_VERSION:-1.30.0} linux/amd64" && exit ;;
esac
echo "$GOEXPERIMENT|$*" >>"$CALLS"
echo some/package
[ -z "\${GO_FAILS:-}" ] || { echo "$GO_FAILS" && exit 1; }
while [ "$1" != -o ]; do shift; done
echo half >"$2"
[ -z "\${GO_HANGS:-}" ] || exec "$NODE" -e '
  process.on("SIGINT", () => process.exit(1));
  require("fs").writeFileSync(process.env.CALLS + ".hangs", "");
  setInterval(() => {}, 1000)'
echo whole >"$2"
chmod +x "$2"
`;
/** Stands in for apt-get and sudo: an installed package is a program of that name. */
const APT_GET = `#!/bin/sh
echo "apt-get $*" >>"$CALLS"
[ -z "\${APT_FAILS:-}" ] || { echo "$APT_FAILS" && exit 100; }
[ "$2" != update ] || exit 0
while [ "$1" != --no-install-recommends ]; do shift; done
shift
for package in "$@"; do
  [ "$package" != qemu-user-static ] || package=qemu-aarch64-static
  echo '#!/bin/sh' >"$BIN/$package" && chmod +x "$BIN/$package"
done
`;
const SUDO = `#!/bin/sh
echo "sudo $*" >>"$CALLS"
while [ "\${1#-}" != "$1" ]; do shift; done
[ "$1" = true ] || exec "$@"
`;
/** Stands in for npm: packs a Node.js and tells `INTEGRITY` of it. */
const NPM = `#!/bin/sh
echo "npm $*" >>"$CALLS"
[ -z "\${NPM_FAILS:-}" ] || { echo "$NPM_FAILS" && exit 1; }
mkdir -p package/bin
echo '#!/bin/sh' >package/bin/node
[ -z "\${NODE_FAILS:-}" ] || echo "echo $NODE_FAILS && exit 1" >>package/bin/node
chmod +x package/bin/node
tar -czf node.tgz package
echo "[{ \\"integrity\\": \\"$INTEGRITY\\" }]"
`;
/** Stands in for Python: an environment has a pip that puts zizmor into it; `PIP_FAILS` prints and fails. */
const PYTHON = `#!/bin/sh
[ "$1" != -c ] || { [ -z "\${NO_VENV:-}" ] || [ -e "$BIN/python3-venv" ]; exit; }
mkdir -p "$3/bin"
cat >"$3/bin/pip" <<'PIP'
#!/bin/sh
echo "pip $*" >>"$CALLS"
[ -z "\${PIP_FAILS:-}" ] || { echo "$PIP_FAILS" && exit 1; }
echo whole >"\${0%/*}/zizmor" && chmod +x "\${0%/*}/zizmor"
PIP
chmod +x "$3/bin/pip"
`;
const ID = `#!/bin/sh\necho "\${USER_ID:-0}"\n`;

let folder: string;
let bin: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'thoth-install-'));
  bin = join(folder, 'bin');
  mkdirSync(bin);
  cpSync(join(ROOT, 'tools'), join(folder, 'tools'), { recursive: true });
  for (const name of PROGRAMS) {
    symlinkSync(
      execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim(),
      join(bin, name),
    );
  }
  for (const [name, text] of Object.entries({
    go: GO,
    'apt-get': APT_GET,
    sudo: SUDO,
    id: ID,
    python3: PYTHON,
  })) {
    writeFileSync(join(bin, name), text, { mode: 0o755 });
  }
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly stderr: string;
}

function start(
  names: readonly string[],
  environment: Record<string, string> = {},
): { child: ChildProcess; ended: Promise<Ended> } {
  const child = spawn('sh', ['tools/install.sh', ...names], {
    cwd: folder,
    env: { PATH: bin, BIN: bin, CALLS: join(folder, 'calls'), NODE: process.execPath, ...environment },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += String(chunk);
  });
  return { child, ended: once(child, 'close').then(() => ({ code: child.exitCode, stderr })) };
}

const install = (names: readonly string[], environment: Record<string, string> = {}) =>
  start(names, environment).ended;

/** The calls of go, apt-get and sudo since the last time it was asked. */
function calls(): string[] {
  const file = join(folder, 'calls');
  const lines = existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [];
  rmSync(file, { force: true });
  return lines;
}

const built = (name: string) => readFileSync(join(folder, '.thoth/tools/bin', name), 'utf8').trim();

describe('Go programs', () => {
  test('are built once, from the pinned package, and then left alone in silence', async () => {
    const first = await install(['regctl', 'trivy']);
    assert.equal(first.code, 0, first.stderr);
    assert.match(
      first.stderr,
      /^Building regctl from github\.com\/regclient\S+\nBuilding trivy from .*9 minutes/,
    );
    const [regctl, trivy] = calls();
    assert.match(
      regctl ?? '',
      /^\|build .*-mod=readonly .*-trimpath .* github\.com\/regclient\/regclient\/cmd\/regctl$/,
    );
    assert.match(trivy ?? '', /^jsonv2\|build .* github\.com\/aquasecurity\/trivy\/cmd\/trivy$/);
    assert.deepEqual([built('regctl'), built('trivy')], ['whole', 'whole']);
    assert.deepEqual(await install(['regctl', 'trivy']), { code: 0, stderr: '' });
    assert.deepEqual(calls(), []);
  });

  const CHANGES: readonly [string, Record<string, string>, () => void][] = [
    ['go.mod changed', {}, () => appendFileSync(join(folder, 'tools/regctl/go.mod'), '\n')],
    ['go.sum changed', {}, () => appendFileSync(join(folder, 'tools/regctl/go.sum'), '\n')],
    ['Go is another', { GO_VERSION: '1.31.0' }, () => {}],
    ['the program is gone', {}, () => rmSync(join(folder, '.thoth/tools/bin/regctl'))],
  ];
  for (const [name, environment, change] of CHANGES) {
    test(`are built again where ${name}, and only those`, async () => {
      await install(['regctl', 'actionlint']);
      calls();
      change();
      assert.equal((await install(['regctl'], environment)).code, 0);
      assert.equal(calls().length, 1);
      assert.equal((await install(['regctl'], environment)).stderr, '');
    });
  }

  const FAULTS: readonly [string, RegExp][] = [
    ['undefined: x', /Read the lines above/],
    ['write /tmp/x: no space left on device', /The disk is full/],
    ['tls: x509: certificate signed by unknown authority', /SSL_CERT_FILE/],
    ['dial tcp: lookup proxy.golang.org: no such host', /GOPROXY/],
  ];
  for (const [printed, remedy] of FAULTS) {
    test(`that do not build leave nothing, and it says what to do: ${printed}`, async () => {
      const { code, stderr } = await install(['regctl'], { GO_FAILS: printed });
      assert.equal(code, 1);
      assert.ok(stderr.includes(printed));
      assert.match(stderr, /regctl could not be built\.\n/);
      assert.match(stderr, remedy);
      assert.deepEqual(readdirSync(join(folder, '.thoth/tools/bin')), []);
      assert.deepEqual(readdirSync(join(folder, '.thoth/tools/stamps')), []);
    });
  }

  for (const [signal, expected] of [
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const) {
    test(`cut off by ${signal}, Go is ended with it, the earlier program stays, and the next call builds`, async () => {
      await install(['regctl']);
      writeFileSync(join(folder, '.thoth/tools/bin/regctl'), 'earlier', { mode: 0o755 });
      const { child, ended } = start(['regctl'], { GO_VERSION: '1.31.0', GO_HANGS: '1' });
      while (!existsSync(join(folder, 'calls.hangs'))) {
        assert.equal(child.exitCode, null, 'it ended before Go was called');
        await new Promise((done) => setTimeout(done, 20));
      }
      child.kill(signal);
      assert.equal((await ended).code, expected);
      assert.deepEqual(readdirSync(join(folder, '.thoth/tools/bin')), ['regctl']);
      assert.equal(built('regctl'), 'earlier');
      calls();
      await install(['regctl'], { GO_VERSION: '1.31.0' });
      assert.deepEqual([calls().length, built('regctl')], [1, 'whole']);
    });
  }

  const OLD: readonly [string, boolean][] = [
    ['1.19.8', false],
    ['1.25.9', false],
    ['1.26', true],
    ['1.26.8', true],
    ['1.100.0', true],
    ['2.0.0', true],
  ];
  for (const [version, enough] of OLD) {
    test(`Go ${version} is ${enough ? 'new enough' : 'refused with the version that is needed'}`, async () => {
      const { code, stderr } = await install(['regctl'], { GO_VERSION: version });
      assert.equal(code, enough ? 0 : 69);
      if (!enough) assert.match(stderr, new RegExp(`^Go 1\\.26\\.0 or newer is needed.*is Go ${version}\\.`));
    });
  }

  test('without Go it says where to get it', async () => {
    rmSync(join(bin, 'go'));
    const { code, stderr } = await install(['regctl']);
    assert.equal(code, 69);
    assert.match(stderr, /^Go is needed to build regctl.*\n.*https:\/\/go\.dev\/dl/);
  });
});

describe('Node.js', () => {
  const PINNED = JSON.parse(readFileSync(join(ROOT, 'tools/standin/package-lock.json'), 'utf8'));
  const INTEGRITY = PINNED.packages[`node_modules/node-linux-${process.arch}`].integrity;

  beforeEach(() => {
    const node = `#!/bin/sh\necho "v\${NODE_VERSION:-20.19.4}"\n`;
    for (const [name, text] of Object.entries({ node, npm: NPM })) {
      writeFileSync(join(bin, name), text, { mode: 0o755 });
    }
  });

  const VERSIONS: readonly [string, boolean][] = [
    ['20.19.4', true],
    ['22.12.0', true],
    ['22.13.0', false],
    ['24.0.0', false],
  ];
  for (const [version, needed] of VERSIONS) {
    test(`beside ${version}, ${needed ? 'the pinned one is installed once' : 'none is installed'}`, async () => {
      assert.equal((await install(['node'], { NODE_VERSION: version, INTEGRITY })).code, 0);
      const fetched = calls();
      assert.deepEqual(fetched.length, needed ? 1 : 0);
      if (needed) assert.match(fetched[0] ?? '', /^npm pack node-linux-\w+@24\.\d+\.\d+ /);
      assert.equal(existsSync(join(folder, '.thoth/tools/bin/node24')), needed);
      assert.deepEqual(await install(['node'], { NODE_VERSION: version }), { code: 0, stderr: '' });
      assert.deepEqual(calls(), []);
    });
  }

  const FAULTS: readonly [string, Record<string, string>, RegExp][] = [
    ['is not there', { NPM_FAILS: 'npm error 404' }, /npm error 404\n.*could not be fetched/],
    ['is another', { INTEGRITY: 'sha512-other' }, /is not what tools\/standin\/package-lock\.json pins/],
    ['does not run', { NODE_FAILS: 'no such libc' }, /no such libc\n.*does not run here/],
  ];
  for (const [name, environment, text] of FAULTS) {
    test(`a package that ${name} leaves nothing`, async () => {
      const { code, stderr } = await install(['node'], { INTEGRITY, ...environment });
      assert.equal(code, 1);
      assert.match(stderr, text);
      for (const left of ['bin', 'stamps']) {
        assert.deepEqual(readdirSync(join(folder, '.thoth/tools', left)), []);
      }
    });
  }
});

describe('Debian packages', () => {
  test('only those that are missing are installed, with apt-get update once before', async () => {
    writeFileSync(join(bin, 'skopeo'), '', { mode: 0o755 });
    assert.equal((await install(['skopeo', 'shellcheck', 'qemu-user-static'])).code, 0);
    const [update, added, ...more] = calls();
    assert.match(update ?? '', /^apt-get -q update$/);
    assert.match(added ?? '', /install --no-install-recommends shellcheck qemu-user-static$/);
    assert.deepEqual(more, []);
    assert.deepEqual(await install(['skopeo', 'shellcheck', 'qemu-user-static']), { code: 0, stderr: '' });
    assert.deepEqual(calls(), []);
  });

  test('a user who is not root goes through sudo', async () => {
    assert.equal((await install(['skopeo'], { USER_ID: '1000' })).code, 0);
    const lines = calls().filter((line) => line.startsWith('sudo'));
    assert.equal(lines.length, 3);
    assert.ok(lines.every((line) => line.startsWith('sudo -n ')));
  });

  const REFUSALS: readonly [string, string[], Record<string, string>, number, RegExp][] = [
    ['there is no apt-get', ['apt-get'], {}, 69, /Missing here: skopeo\.\nThere is no apt-get/],
    ['nobody may', ['sudo'], { USER_ID: '1000' }, 69, /as root.*apt-get install .*skopeo/],
    [
      'apt-get fails',
      [],
      { APT_FAILS: 'E: Unable to locate package' },
      1,
      /E: Unable[\s\S]*could not install: skopeo/,
    ],
  ];
  for (const [name, absent, environment, expected, text] of REFUSALS) {
    test(`where ${name}, it says so`, async () => {
      for (const program of absent) rmSync(join(bin, program));
      const { code, stderr } = await install(['skopeo'], environment);
      assert.equal(code, expected);
      assert.match(stderr, text);
    });
  }

  test('a name that is neither is refused before anything is installed', async () => {
    const { code, stderr } = await install(['skopeo', 'nonsense']);
    assert.deepEqual([code, stderr], [2, 'tools/install.sh does not know "nonsense".\n']);
    assert.deepEqual(calls(), []);
  });
});

describe('Python programs', () => {
  test('are installed once, each file by its hash, into an environment of their own', async () => {
    const first = await install(['zizmor']);
    assert.deepEqual(first, { code: 0, stderr: 'Installing zizmor from its Python package\n' });
    assert.deepEqual(calls(), [
      'pip --quiet --disable-pip-version-check install --require-hashes --no-deps --only-binary :all: -r tools/zizmor/requirements.txt',
    ]);
    assert.equal(built('zizmor'), 'whole');
    assert.deepEqual(await install(['zizmor']), { code: 0, stderr: '' });
    assert.deepEqual(calls(), []);
  });

  test('are installed anew when what is pinned changes', async () => {
    await install(['zizmor']);
    appendFileSync(join(folder, 'tools/zizmor/requirements.txt'), '# newer\n');
    assert.equal((await install(['zizmor'])).stderr, 'Installing zizmor from its Python package\n');
  });

  test('are installed anew in a checkout that was moved, since they name their place', async () => {
    await install(['zizmor']);
    const moved = join(folder, 'moved');
    mkdirSync(moved);
    for (const name of ['tools', '.thoth']) renameSync(join(folder, name), join(moved, name));
    symlinkSync(join(moved, 'tools'), join(folder, 'tools'));
    symlinkSync(join(moved, '.thoth'), join(folder, '.thoth'));
    assert.equal((await install(['zizmor'])).stderr, 'Installing zizmor from its Python package\n');
    assert.equal(built('zizmor'), 'whole');
    assert.deepEqual(await install(['zizmor']), { code: 0, stderr: '' }, 'by whatever path it is reached');
  });

  test('come with the Debian package that makes environments, where that is missing', async () => {
    const { code, stderr } = await install(['zizmor', 'kubernetes-schemas'], { NO_VENV: 'yes' });
    assert.equal(code, 0, stderr);
    const [, installed] = calls();
    assert.match(installed ?? '', /--no-install-recommends python3-venv$/);
  });

  test('leave nothing half installed where pip fails', async () => {
    const { code, stderr } = await install(['zizmor'], { PIP_FAILS: 'HASHES DO NOT MATCH' });
    assert.equal(code, 1);
    assert.match(stderr, /HASHES DO NOT MATCH\nzizmor could not be installed\.\n/);
    assert.equal(existsSync(join(folder, '.thoth/tools/python/zizmor')), false);
    assert.equal((await install(['zizmor'])).code, 0);
  });
});
