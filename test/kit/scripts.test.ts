import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';

const SCRIPTS = resolve(import.meta.dirname, '../../scripts');
/** All that install.sh and the functions below may call on a machine; whatever else it has is out of reach. */
const PROGRAMS =
  'awk basename cat chmod cmp cp cut date df dirname find flock grep head id ln mkdir mktemp mv ps readlink rm rmdir sed sha256sum sleep sort sync tail tr uname wc'.split(
    ' ',
  );
const SHELLS = [['dash'], ['bash'], ['busybox', 'sh']].filter(
  ([program = '']) => spawnSync(program, ['--help']).error === undefined,
);

/** Where they and the shells are on this machine. */
const PATHS = new Map(
  [...PROGRAMS, 'curl', ...SHELLS.map(([program = '']) => program)].map((name) => {
    const folders = (process.env.PATH ?? '').split(delimiter);
    return [name, folders.map((place) => join(place, name)).find(existsSync)] as const;
  }),
);

/** Stands in for Docker: answers what the facts in its environment say. */
const DOCKER = `#!/bin/sh
[ -z "$DOCKER_FAILS" ] || { echo "$DOCKER_FAILS" >&2; exit 1; }
case "$*" in
  version*) echo "$DOCKER_VERSION $DOCKER_ARCH" ;;
  'compose version'*) [ -n "$COMPOSE_VERSION" ] || exit 1; echo "$COMPOSE_VERSION" ;;
  info*) echo "$DOCKER_MEMORY" ;;
  *) echo "unasked: $*" >&2; exit 99 ;;
esac
`;
const FACTS = {
  DOCKER_VERSION: '28.2.2',
  DOCKER_ARCH: 'arm64',
  COMPOSE_VERSION: '2.24.6',
  DOCKER_MEMORY: '4000000000',
};

let folder: string;
let bin: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'thoth kit '));
  bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const name of [...PROGRAMS, 'curl']) symlinkSync(PATHS.get(name) ?? '/bin/true', join(bin, name));
  writeFileSync(join(bin, 'docker'), DOCKER, { mode: 0o755 });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(shell: readonly string[], args: readonly string[], env: Record<string, string> = {}) {
  const [name = '', ...rest] = shell;
  const { status, stdout, stderr } = spawnSync(PATHS.get(name) ?? name, [...rest, ...args], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: bin, HOME: folder, DOCKER_FAILS: '', ...FACTS, ...env },
  });
  return { code: status, text: stdout + stderr, stdout };
}

for (const shell of SHELLS) {
  const install = (args: readonly string[], env: Record<string, string> = {}) =>
    run(shell, [join(SCRIPTS, 'install.sh'), ...args], env);

  describe(`install.sh under ${shell.join(' ')}`, () => {
    test('a machine that has all says what would be done', () => {
      const { code, text } = install(['--dry-run', '--version', '1.2.3', '--port', '9000']);
      assert.equal(code, 0, text);
      assert.match(
        text,
        /^This machine has what Thoth needs: Docker 28\.2\.2 on arm64, Compose 2\.24\.6, \d+ MB/,
      );
      assert.match(
        text,
        /^Would fetch docker\.io\/marcopancotti\/thoth:v1\.2\.3, .* on 127\.0\.0\.1:9000\.$/m,
      );
      assert.deepEqual(readdirSync(folder), ['bin']);
    });

    const FITS: readonly Record<string, string>[] = [
      { DOCKER_VERSION: '20.10.24+dfsg1' },
      { DOCKER_VERSION: '100.0.0' },
      { COMPOSE_VERSION: 'v2.20.0' },
      { COMPOSE_VERSION: '5.6.0' },
      { DOCKER_MEMORY: '512000000' },
      { DOCKER_MEMORY: '' },
    ];
    for (const facts of FITS) {
      test(`fits: ${JSON.stringify(facts)}`, () => assert.equal(install(['--dry-run'], facts).code, 0));
    }

    const LACKS: readonly [string, Record<string, string>, number, RegExp][] = [
      [
        'an old Docker',
        { DOCKER_VERSION: '19.03.15' },
        69,
        /^Docker 20\.10 or newer is needed, and this is 19\.03\.15\./,
      ],
      [
        'an old Compose',
        { COMPOSE_VERSION: '2.17.3' },
        69,
        /^Docker Compose 2\.20 or newer is needed, and this is 2\.17\.3\./,
      ],
      ['no Compose', { COMPOSE_VERSION: '' }, 69, /^Docker Compose is missing/],
      [
        'another processor',
        { DOCKER_ARCH: 'arm' },
        69,
        /^Thoth is made for amd64 and arm64, and Docker runs on arm here\./,
      ],
      [
        'little memory',
        { DOCKER_MEMORY: '268435456' },
        69,
        /^Docker has 256 MB of memory here, and Thoth needs 400\./,
      ],
      [
        'a daemon that does not run',
        { DOCKER_FAILS: 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock.' },
        69,
        /^Docker does not answer: Cannot connect[^\n]*\nStart it/,
      ],
      [
        'no right to use it',
        { DOCKER_FAILS: 'permission denied while trying to connect to the Docker daemon socket' },
        77,
        /^This user may not use Docker\./,
      ],
    ];
    for (const [name, facts, expected, message] of LACKS) {
      test(`lacks: ${name}`, () => {
        const { code, text } = install([], facts);
        assert.equal(code, expected, text);
        assert.match(text, message);
        assert.deepEqual(readdirSync(folder), ['bin']);
      });
    }

    const REPLACED: readonly [string, string, string, RegExp][] = [
      ['no Docker', 'docker', '', /^Docker is missing\.\nInstall it \(https:\/\/docs\.docker\.com/],
      ['neither curl nor wget', 'curl', '', /^curl or wget is needed/],
      [
        'another system',
        'uname',
        'echo MINGW64_NT-10.0',
        /^This script is for Linux, macOS and WSL, and this is MINGW64.*\n.*install\.ps1/,
      ],
      [
        'no disk',
        'df',
        "printf 'head\\n/dev/x 100 90 10240 99%% /\\n'",
        /^There are 10 MB free for .*, and 600 are needed\./,
      ],
    ];
    for (const [name, program, script, message] of REPLACED) {
      test(`lacks: ${name}`, () => {
        rmSync(join(bin, program));
        if (script !== '') writeFileSync(join(bin, program), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
        const { code, text } = install([]);
        assert.equal(code, 69, text);
        assert.match(text, message);
      });
    }

    const WRONG: readonly (readonly string[])[] = [
      ['--nonsense'],
      ['word'],
      ['--port'],
      ['--port', '0'],
      ['--port', '65536'],
      ['--port', '12x'],
      ['--port', '99999999999'],
      ['--version', 'v1;rm'],
      ['--digest', 'sha256:12'],
      ['--image', 'thoth@sha256:12'],
      ['--image', 'a b'],
      ['--project', 'A'],
      ['--wait', '1m'],
      ['--purge'],
      ['--uninstall', '--dry-run'],
      ['--dir', 'a:b'],
      ['--dir', 'a$b'],
      ['--data', `a'b`],
    ];
    for (const args of WRONG) {
      test(`refuses ${args.join(' ')}`, () => {
        const { code, text } = install(args);
        assert.equal(code, 64, text);
        assert.match(text, /^.+\.\n/);
        assert.deepEqual(readdirSync(folder), ['bin']);
      });
    }

    test('--help prints the head of the script', () => {
      const { code, text } = install(['--help']);
      assert.equal(code, 0);
      assert.match(text, /^Installs Thoth[\s\S]*--non-interactive[\s\S]*Exit code:/);
    });
  });

  describe(`the library under ${shell.join(' ')}`, () => {
    let dir: string;
    beforeEach(() => {
      dir = join(folder, 'in here');
      mkdirSync(join(dir, '.kit'), { recursive: true });
      cpSync(SCRIPTS, join(dir, 'scripts'), { recursive: true });
      writeFileSync(join(dir, '.env'), 'A=1\nOPENAI_API_KEY=sk-secret-12345678\nB=x y\r\nA=2\n', {
        mode: 0o644,
      });
    });
    /** Runs commands with the library read in. */
    const within = (commands: string, env: Record<string, string> = {}) =>
      run(shell, ['-c', `kit=test; dir='${dir}'; . "$dir/scripts/lib/kit.sh"; ${commands}`], env);
    const env = () => readFileSync(join(dir, '.env'), 'utf8');

    test('env_get takes the last, without the line ends of Windows', () => {
      assert.equal(within('env_get A; env_get B; env_get NONE; env_get API_KEY').stdout, '2\nx y\n');
    });

    test('env_put replaces or adds, with any character, and leaves the file to this user', () => {
      const value = String.raw`a\n&b|"c" 'd' $e/`;
      assert.equal(within('env_put A "$VALUE" && env_put NEW 3', { VALUE: value }).code, 0);
      assert.equal(env(), `A=${value}\nOPENAI_API_KEY=sk-secret-12345678\nB=x y\r\nNEW=3\n`);
      assert.equal(statSync(join(dir, '.env')).mode & 0o777, 0o600);
      assert.ok(!existsSync(join(dir, '.env.partial')));
    });

    test('env_put changes nothing where it can not write', () => {
      const before = env();
      mkdirSync(join(dir, '.env.partial'));
      assert.equal(within('env_put A 3 || exit 9').code, 9);
      assert.equal(env(), before);
    });

    test('redact leaves out the secrets of .env, and what looks like one', () => {
      const text = 'a sk-secret-12345678 b sk-secret-12345678. thoth_0123456789ab_xyz AIzaSyA-12345678 x y';
      assert.equal(
        within('printf "%s\\n" "$TEXT" | redact', { TEXT: text }).stdout,
        'a [redacted] b [redacted]. [redacted] [redacted] x y\n',
      );
    });

    test('the log has every message, for this user alone', () => {
      const { code } = within(
        'open_log; say one; quietly cat /nonexistent || :; fail 5 "sk-secret-12345678 two"',
      );
      assert.equal(code, 5);
      const log = join(dir, 'logs/kit.log');
      const LINE = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ test\[\d+\] `;
      const lines = [
        'begins: test',
        'one',
        'runs: cat /nonexistent',
        '.*nonexistent.*',
        '\\[redacted\\] two',
        'exit code 5',
      ];
      assert.match(
        readFileSync(log, 'utf8'),
        new RegExp(`^${lines.map((line) => `${LINE}${line}\n`).join('')}$`),
      );
      assert.equal(statSync(log).mode & 0o777, 0o600);
    });

    for (const [image, expected] of [
      ['docker.io/a/b:v1@sha256:12', 'docker.io/a/b'],
      ['localhost:5000/a/b', 'localhost:5000/a/b'],
      ['localhost:5000/a/b:v1', 'localhost:5000/a/b'],
      ['thoth', 'thoth'],
    ]) {
      test(`repository_of ${image}`, () =>
        assert.equal(within(`repository_of ${image}`).stdout, `${expected}\n`));
    }

    for (const [name, without] of [
      ['flock', ''],
      ['no flock, as on macOS', 'flock'],
    ] as const) {
      test(`one change at a time, with ${name}; a lock whose holder is gone is taken`, () => {
        if (without !== '') rmSync(join(bin, without));
        assert.equal(within('lock; echo in; kill -KILL $$').stdout, 'in\n');
        assert.equal(within('lock; echo in; unlock').stdout, 'in\n');
        if (without === '') return; // with flock, the second waits for the first: update.itg.test.ts
        const inner = `dir='${dir}'; kit=test; . \\"\\$dir/scripts/lib/kit.sh\\"; lock; echo in too`;
        const { text, stdout } = within(
          `lock; PATH='${bin}' ${shell.length === 1 ? `/bin/${shell[0]}` : '/bin/busybox sh'} -c "${inner}" || echo $?`,
        );
        assert.equal(stdout, '75\n');
        assert.match(text, /Another script is changing the installation/);
      });
    }

    const MISUSED: readonly [script: string, args: readonly string[], told: RegExp][] = [
      ['backup', ['--keep'], /^--keep needs a value\./],
      ['backup', ['--keep', '0'], /^--keep takes a whole number/],
      ['backup', ['x'], /^There is no x to take\./],
      ['configure', ['--port'], /^--port needs a value\./],
      ['configure', ['--wait', '1m'], /^--wait takes whole seconds\./],
      ['doctor', ['--online'], /^There is no option --online\./],
      ['restore', [], /^Name a backup\./],
      ['restore', ['a', 'b'], /^One backup, please\./],
      ['restore', ['a', '--keep'], /^There is no option --keep\./],
      ['restore', ['a', '--wait'], /^--wait needs a value\./],
      ['rollback', ['--wait', ''], /^--wait takes whole seconds\./],
      ['secrets', ['x'], /^There is no option x\./],
      ['status', ['-v'], /^There is no option -v\./],
      ['uninstall', ['now'], /^There is no option now\./],
      ['update', ['v1.0.0', 'v1.1.0'], /^One version, please\./],
      ['update', ['--digest', '12'], /^--digest takes sha256:/],
      ['update', ['--wait', '1m'], /^--wait takes whole seconds\./],
    ];
    const script = (name: string, args: readonly string[]) =>
      run(shell, [join(dir, 'scripts', `${name}.sh`), ...args]);
    for (const [name, args, told] of MISUSED) {
      test(`${name}.sh ${args.join(' ')} is wrong usage`, () => {
        const { code, text } = script(name, args);
        assert.equal(code, 64, text);
        assert.match(text, told);
        assert.match(text, new RegExp(`^scripts/${name}\\.sh --help says what there is\\.$`, 'm'));
      });
    }

    for (const name of new Set(MISUSED.map(([one]) => one))) {
      test(`${name}.sh --help prints its head`, () => {
        const { code, text } = script(name, ['--help']);
        assert.equal(code, 0, text);
        assert.match(text, new RegExp(`^ {2}${name}\\.sh[\\s\\S]*--help[\\s\\S]*Exit code: 0`, 'm'));
      });
    }

    test('backups are listed newest first, and the oldest retire', () => {
      for (const name of [
        '20260101T000000Z-v1.0.0',
        '20260103T000000Z-v1.1.0',
        '20260102T000000Z-v1.0.0',
        'mine',
      ]) {
        mkdirSync(join(dir, 'backups', name), { recursive: true });
        writeFileSync(join(dir, 'backups', name, 'SHA256SUMS'), '');
        writeFileSync(join(dir, 'backups', name, 'image'), `thoth:${name.split('-')[1]}\n`);
      }
      writeFileSync(join(dir, '.env'), 'THOTH_IMAGE=thoth:v1.1.0\n');
      assert.equal(
        within('list_backups; newest_backup; newest_backup v1.1.0; newest_backup v2.0.0 || echo none').stdout,
        `20260103T000000Z-v1.1.0\n20260102T000000Z-v1.0.0\n20260101T000000Z-v1.0.0\n${dir}/backups/20260102T000000Z-v1.0.0\n${dir}/backups/20260103T000000Z-v1.1.0\nnone\n`,
      );
      within('keep_backups=1; retire_backups');
      assert.deepEqual(readdirSync(join(dir, 'backups')).sort(), ['20260103T000000Z-v1.1.0', 'mine']);
    });
  });
}

test('every shell that the scripts promise to run under was tried', () => {
  assert.ok(SHELLS.length >= 2, 'dash, bash and busybox are wanted: make setup');
});
