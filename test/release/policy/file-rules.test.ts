import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { Policy } from '../../../src/release/config/config.ts';
import { readLayout } from '../../../src/release/image/layout.ts';
import { fileRules } from '../../../src/release/policy/file-rules.ts';
import { readImageFiles } from '../../../src/release/policy/image-files.ts';
import { POLICY } from '../config/defaults.ts';
import { writeLayout } from '../image/layout-fixture.ts';
import type { TarFiles } from '../image/tar.ts';

const folder = await mkdtemp(join(tmpdir(), 'thoth-file-rules-'));
after(() => rm(folder, { recursive: true, force: true }));

/** What an image of these layers, and of the fixture's program, breaks: `rule: message`. */
async function broken(
  layers: readonly TarFiles[],
  config: Readonly<Record<string, unknown>> = {},
  policy: Partial<Policy> = {},
) {
  const dir = await mkdtemp(join(folder, 'layout-'));
  await writeLayout(dir, { platforms: ['linux/amd64'], layers, config });
  const { platforms } = await readLayout(dir);
  const views = await readImageFiles(dir, platforms);
  return [...views].flatMap(([image, files]) =>
    [...fileRules(image, files, { ...POLICY, ...policy })].map(({ rule, message }) => `${rule}: ${message}`),
  );
}

const SHELL: TarFiles = {
  'usr/bin/dash': { mode: 0o755 },
  'bin/sh': { type: 'symlink', target: '/usr/bin/dash' },
};
const many = Object.fromEntries(Array.from({ length: 13 }, (_, n) => [`s${n + 10}`, { mode: 0o4755 }]));

const cases: readonly (readonly [string, readonly TarFiles[], readonly string[]])[] = [
  ['plain files, and a sticky /tmp', [{ a: '', 'tmp/': { type: 'directory', mode: 0o1777 } }], []],
  [
    'a setuid file',
    [{ 'bin/su': { mode: 0o4755 } }],
    ['setuid: it holds setuid or setgid files: /bin/su (4755)'],
  ],
  [
    'a setgid file',
    [{ 'bin/wall': { mode: 0o2755 } }],
    ['setuid: it holds setuid or setgid files: /bin/wall (2755)'],
  ],
  ['a setgid folder, which gives nobody rights', [{ 'var/mail/': { type: 'directory', mode: 0o2775 } }], []],
  ['a setuid file that a later layer removes', [{ 'bin/su': { mode: 0o4755 } }, { 'bin/.wh.su': '' }], []],
  [
    'a setuid file that a later layer makes plain',
    [{ 'bin/su': { mode: 0o4755 } }, { 'bin/su': { mode: 0o755 } }],
    [],
  ],
  [
    'many of them: ten are named',
    [many],
    [
      `setuid: it holds setuid or setgid files: ${Array.from({ length: 10 }, (_, n) => `/s${n + 10} (4755)`).join(', ')}, and 3 more`,
    ],
  ],
  [
    'a file with capabilities',
    [{ 'bin/ping': { mode: 0o755, pax: { 'SCHILY.xattr.security.capability': 'x' } } }],
    ['setuid: it holds files with capabilities: /bin/ping (755)'],
  ],
  [
    'a world-writable file',
    [{ 'etc/x': { mode: 0o666 } }],
    ['world-writable: every user may write: /etc/x (666)'],
  ],
  [
    'a world-writable folder, and a file that is sticky',
    [{ 'app/data/': { type: 'directory', mode: 0o777 }, f: { mode: 0o1666 } }],
    ['world-writable: every user may write: /app/data (777), /f (1666)'],
  ],
  [
    'links and devices, whose modes mean nothing',
    [{ l: { type: 'symlink', mode: 0o777, target: 'a' }, n: { type: 'device', mode: 0o666 } }],
    [],
  ],
];
for (const [name, layers, expected] of cases) {
  test(`files: ${name}`, async () => assert.deepEqual(await broken(layers), expected));
}

const health = (...test: string[]) => ({ Healthcheck: { Test: test } });
const shells: readonly (readonly [string, Readonly<Record<string, unknown>>, readonly string[]])[] = [
  ['ENTRYPOINT', { Entrypoint: ['/bin/sh', '-c', 'thoth'] }, ['ENTRYPOINT']],
  ['CMD', { Cmd: ['/bin/sh', '-c', 'thoth'] }, ['CMD']],
  ['HEALTHCHECK', health('CMD-SHELL', 'curl localhost'), ['HEALTHCHECK']],
  ['a HEALTHCHECK that calls the shell itself', health('CMD', '/bin/sh', '-c', 'true'), ['HEALTHCHECK']],
  [
    'all three',
    { Entrypoint: ['sh'], Cmd: ['bash'], ...health('CMD-SHELL', 'true') },
    ['ENTRYPOINT', 'CMD', 'HEALTHCHECK'],
  ],
];
for (const [name, config, parts] of shells) {
  test(`shell form without a shell: ${name}`, async () => {
    const messages = parts.map((part) => `shell: its ${part} is in shell form, and the image has no /bin/sh`);
    assert.deepEqual(await broken([{}], config), messages);
    assert.deepEqual(await broken([SHELL], config), []);
  });
}

const gone = (what: string, program: string) =>
  `program: its ${what} runs ${program}, which is not in the image`;
const barred = (what: string, program: string, mode: string) =>
  `program: its ${what} runs ${program}, which its user may not execute (${mode})`;
const run = (...Entrypoint: string[]) => ({ Entrypoint });
const programs: readonly (readonly [
  string,
  TarFiles,
  Readonly<Record<string, unknown>>,
  readonly string[],
])[] = [
  ['there, by its name on the PATH', {}, run('thoth'), []],
  ['there, through a link', { x: { type: 'symlink', target: 'usr/local/bin/thoth' } }, run('/x'), []],
  [
    'there, from the working directory',
    { 'app/x': { mode: 0o755 } },
    { ...run('./x'), WorkingDir: '/app' },
    [],
  ],
  ['whose name only ends in sh', { 'usr/bin/fish': { mode: 0o755 } }, run('/usr/bin/fish'), []],
  ['that is not there', {}, run('/nodejs/bin/node'), [gone('ENTRYPOINT', '/nodejs/bin/node')]],
  ['that is not on the PATH', { 'opt/x': { mode: 0o755 } }, run('x'), [gone('ENTRYPOINT', 'x')]],
  [
    'that is a link to nothing',
    { x: { type: 'symlink', target: '/y' } },
    run('/x'),
    [gone('ENTRYPOINT', '/x')],
  ],
  ['that is a folder', { 'x/': { type: 'directory', mode: 0o755 } }, run('/x'), [gone('ENTRYPOINT', '/x')]],
  ['that nobody may execute', { x: '' }, run('/x'), [barred('ENTRYPOINT', '/x', '644')]],
  ['that only its owner may', { x: { mode: 0o700 } }, run('/x'), [barred('ENTRYPOINT', '/x', '700')]],
  ['that the user owns', { x: { mode: 0o700, uid: 65532 } }, run('/x'), []],
  ['that the group may', { x: { mode: 0o710, gid: 65532 } }, run('/x'), []],
  ['of the health check, not there', {}, health('CMD', 'curl', '-f'), [gone('HEALTHCHECK', 'curl')]],
];
for (const [name, files, config, expected] of programs) {
  test(`a program ${name}`, async () => assert.deepEqual(await broken([files], config), expected));
}

const files: TarFiles = {
  'usr/bin/su': { mode: 0o4755 },
  'opt/a.b/su': { mode: 0o4755 },
  'app/cache/': { type: 'directory', mode: 0o777 },
  'app/.env': '',
  'app/x/y/.env': '',
  'app/.env.example': '',
};
const asked: readonly (readonly [string, Partial<Policy>, readonly string[]])[] = [
  [
    'nothing',
    {},
    [
      'setuid: it holds setuid or setgid files: /usr/bin/su (4755), /opt/a.b/su (4755)',
      'world-writable: every user may write: /app/cache (777)',
    ],
  ],
  ['exceptions by name', { setuid: ['/usr/bin/su', '/opt/a.b/su'], writable: ['/app/cache'] }, []],
  ['exceptions by a part of the name', { setuid: ['/usr/bin/s*', '/opt/*/su'], writable: ['/app/**'] }, []],
  [
    'exceptions that only look so',
    { setuid: ['/usr/bin', '/opt/a?b/su', '/*/su'], writable: ['/app/cach'] },
    [
      'setuid: it holds setuid or setgid files: /usr/bin/su (4755), /opt/a.b/su (4755)',
      'world-writable: every user may write: /app/cache (777)',
    ],
  ],
  [
    'that some are not there',
    { setuid: ['/**/su'], writable: ['/app/cache'], forbidden: ['/**/.env', '/etc/*'] },
    ['forbidden: it holds what must not be there: /app/.env, /app/x/y/.env'],
  ],
];
for (const [name, policy, expected] of asked) {
  test(`a project asks for ${name}`, async () =>
    assert.deepEqual(await broken([files], {}, policy), expected));
}
