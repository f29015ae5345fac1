import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readLayout } from '../../../src/release/image/layout.ts';
import { readImageFiles } from '../../../src/release/policy/image-files.ts';
import { sameRules } from '../../../src/release/policy/same-rules.ts';
import { type LayoutOptions, writeLayout } from '../image/layout-fixture.ts';
import type { TarFiles } from '../image/tar.ts';

const folder = await mkdtemp(join(tmpdir(), 'thoth-same-'));
after(() => rm(folder, { recursive: true, force: true }));

/** What is said of two images, each made by its own options, as platforms of one. */
async function differences(one: LayoutOptions, other: LayoutOptions): Promise<string[]> {
  const make = async (platform: string, options: LayoutOptions) => {
    const dir = await mkdtemp(join(folder, 'layout-'));
    await writeLayout(dir, { platforms: [platform], ...options });
    const layout = await readLayout(dir);
    return { layout, views: await readImageFiles(dir, layout.platforms) };
  };
  const [a, b] = [await make('linux/amd64', one), await make('linux/arm64', other)];
  const layout = { ...a.layout, platforms: [...a.layout.platforms, ...b.layout.platforms] };
  const found = [...sameRules(layout, new Map([...a.views, ...b.views]))];
  assert.ok(found.every(({ rule, platform }) => rule === 'same' && platform === 'linux/arm64'));
  return found.map(({ message }) => message.replace(/ from (?:that|those) of linux\/amd64/, ''));
}

const files: readonly (readonly [string, TarFiles, TarFiles, readonly string[]])[] = [
  ['the same', { a: '1', b: '2' }, { b: '2', a: '1' }, []],
  ['other contents, as of a program', { 'bin/node': 'x86' }, { 'bin/node': 'arm' }, []],
  [
    'one that is missing, and a new one',
    { a: '' },
    { b: '' },
    ['its files differ: /a is missing, /b is new'],
  ],
  [
    'another mode',
    { a: '' },
    { a: { mode: 0o600 } },
    ['its files differ: /a (file 600 0:0 for file 644 0:0)'],
  ],
  ['another owner', { a: '' }, { a: { uid: 7 } }, ['its files differ: /a (file 644 7:0 for file 644 0:0)']],
  [
    'a link elsewhere',
    { a: { type: 'symlink', mode: 0o777, target: 'x' } },
    { a: { type: 'symlink', mode: 0o777, target: 'y' } },
    ['its files differ: /a (symlink 777 0:0 -> y for symlink 777 0:0 -> x)'],
  ],
  [
    'what belongs to an architecture, as Debian has it',
    {
      'usr/lib/x86_64-linux-gnu/libc.so.6': '',
      'usr/lib64/ld-linux-x86-64.so.2': '',
      lib64: { type: 'symlink', target: 'usr/lib64' },
      'var/lib/dpkg/info/libc6:amd64.list': '',
      l: { type: 'symlink', target: '/usr/lib/x86_64-linux-gnu/l' },
    },
    {
      'usr/lib/aarch64-linux-gnu/libc.so.6': { mode: 0o755 },
      'usr/lib/ld-linux-aarch64.so.1': '',
      'var/lib/dpkg/info/libc6:arm64.list': '',
      l: { type: 'symlink', target: '/usr/lib/aarch64-linux-gnu/l' },
    },
    [],
  ],
];
for (const [name, one, other, expected] of files) {
  test(`files: ${name}`, async () =>
    assert.deepEqual(await differences({ layers: [one] }, { layers: [other] }), expected));
}

const configs: readonly (readonly [string, LayoutOptions, LayoutOptions, readonly string[]])[] = [
  [
    'variables are named, and not told',
    { config: { Env: ['A=1', 'B=2', 'C=3'] } },
    { config: { Env: ['A=1', 'B=secret', 'D=4'] } },
    ['its Env (B, C, D) differs'],
  ],
  [
    'variables in another order',
    { config: { Env: ['A=1', 'B=2'] } },
    { config: { Env: ['B=2', 'A=1'] } },
    ['its Env differs'],
  ],
  [
    'labels are named',
    { labels: { a: '1', b: '2' } },
    { labels: { a: '1', b: '3' } },
    ['its Labels (b) differs'],
  ],
  ['a field that one has', { config: { StopSignal: 'SIGTERM' } }, {}, ['its StopSignal differs']],
  [
    'arguments in another order',
    { config: { Cmd: ['a', 'b'] } },
    { config: { Cmd: ['b', 'a'] } },
    ['its Cmd differs'],
  ],
];
for (const [name, one, other, expected] of configs) {
  test(`config: ${name}`, async () => assert.deepEqual(await differences(one, other), expected));
}
