import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { PlatformImage } from '../../../src/release/image/layout.ts';
import { type ImageFiles, readImageFiles, resolvePath } from '../../../src/release/policy/image-files.ts';
import { MEDIA, putBlob } from '../image/layout-fixture.ts';
import { type TarFiles, tar } from '../image/tar.ts';
import { failure } from '../machine/failure.ts';

const folder = await mkdtemp(join(tmpdir(), 'thoth-files-'));
after(() => rm(folder, { recursive: true, force: true }));
const PLAIN = 'application/vnd.oci.image.layer.v1.tar';

/** What an image of these layers holds. Layers are plain archives unless `bytes` makes other ones of them. */
async function view(
  layers: readonly TarFiles[],
  bytes = (archive: Buffer) => archive,
  mediaType: string = PLAIN,
) {
  const dir = await mkdtemp(join(folder, 'layout-'));
  const blobs = await Promise.all(layers.map((layer) => putBlob(dir, mediaType, bytes(tar(layer)))));
  const image = { layers: blobs } as unknown as PlatformImage;
  const files = (await readImageFiles(dir, [image])).get(image);
  assert.ok(files);
  return files;
}

const directory = { type: 'directory', mode: 0o755 } as const;
const link = (target: string) => ({ type: 'symlink', mode: 0o777, target }) as const;

const views: readonly (readonly [string, readonly TarFiles[], readonly string[]])[] = [
  ['an empty layer', [{}], []],
  [
    'paths in every spelling',
    [{ './a': '', '/b': '', 'c/': directory, './': directory }],
    ['/', '/a', '/b', '/c'],
  ],
  ['layers on one another', [{ a: '' }, { 'b/c': '' }], ['/a', '/b/c']],
  ['a file that a whiteout removes', [{ a: '', b: '' }, { '.wh.a': '' }], ['/b']],
  ['a folder that a whiteout removes', [{ 'd/a': '', 'd/b/c': '', da: '' }, { '.wh.d': '' }], ['/da']],
  ['a file that is removed and there again', [{ a: '' }, { '.wh.a': '' }, { a: '' }], ['/a']],
  ['a whiteout that stands after the new file', [{ a: '' }, { a: '', '.wh.a': '' }], ['/a']],
  [
    'a folder that is emptied, wherever the mark stands',
    [
      { 'd/': directory, 'd/a': '' },
      { 'd/b': '', 'd/.wh..wh..opq': '' },
    ],
    ['/d', '/d/b'],
  ],
  ['a folder that a file takes the place of', [{ 'd/': directory, 'd/a': '' }, { d: '' }], ['/d']],
  [
    'a folder that stays when it is there again',
    [{ 'd/': directory, 'd/a': '' }, { 'd/': directory }],
    ['/d', '/d/a'],
  ],
  [
    'a file that a whiteout below a link removes',
    [{ 'usr/bin/sh': '', bin: link('usr/bin') }, { 'bin/.wh.sh': '' }],
    ['/bin'],
  ],
  [
    'a file below a link of a lower layer',
    [{ 'usr/bin/': directory, bin: link('usr/bin') }, { 'bin/sh': '' }],
    ['/bin', '/usr/bin', '/usr/bin/sh'],
  ],
];
for (const [name, layers, expected] of views) {
  test(`a view: ${name}`, async () => assert.deepEqual([...(await view(layers)).keys()].sort(), expected));
}

test('a file has the mode, the owner and the kind of its last layer', async () => {
  const files = await view([
    { a: { mode: 0o4755, uid: 7, gid: 8 }, b: '' },
    { a: { mode: 0o600, uid: 65532 }, l: link('/a'), p: { type: 'device', mode: 0o666 } },
  ]);
  const facts = [...files].map(([path, { type, mode, uid, gid }]) => [
    path,
    type,
    mode.toString(8),
    uid,
    gid,
  ]);
  assert.deepEqual(facts, [
    ['/a', 'file', '600', 65532, 0],
    ['/b', 'file', '644', 0, 0],
    ['/l', 'symlink', '777', 0, 0],
    ['/p', 'device', '666', 0, 0],
  ]);
});

test('a hard link is what it is another name of', async () => {
  const files = await view([{ a: { mode: 0o4755 }, b: { type: 'hardlink', target: './a' } }]);
  assert.equal(files.get('/b')?.mode, 0o4755);
});

test('capabilities are seen, of their own file alone', async () => {
  const pax = { 'SCHILY.xattr.security.capability': 'x' };
  const files = await view([{ a: '', b: { pax }, c: { pax: { mtime: '1' } }, d: '' }]);
  assert.deepEqual(
    [...files].map(([path, { capable }]) => `${path} ${capable}`),
    ['/a false', '/b true', '/c false', '/d false'],
  );
});

test('a path longer than a header holds is read from its pax record', async () => {
  const path = `${'long/'.repeat(60)}file`;
  assert.deepEqual([...(await view([{ short: { pax: { path } } }])).keys()], [`/${path}`]);
});

const unread: readonly (readonly [string, (archive: Buffer) => Buffer, string, RegExp])[] = [
  ['is cut off', (archive) => archive.subarray(0, 700), PLAIN, /./],
  ['is no archive', () => Buffer.from('x'.repeat(2_000)), PLAIN, /checksum|archive/i],
  ['is not compressed as it says', (archive) => archive, MEDIA.layer, /header/],
  [
    'has a broken header',
    (archive) => Buffer.concat([Buffer.from('x'), archive.subarray(1)]),
    PLAIN,
    /checksum/,
  ],
  [
    'holds a kind of entry that nobody knows',
    (archive) => {
      const odd = Buffer.from(archive);
      odd.write('S', 156); // a sparse file of GNU's
      odd.write('        ', 148);
      odd.write(
        `${odd
          .subarray(0, 512)
          .reduce((sum, byte) => sum + byte, 0)
          .toString(8)
          .padStart(6, '0')}\0 `,
        148,
      );
      return odd;
    },
    PLAIN,
    /SparseFile/,
  ],
];
for (const [name, bytes, mediaType, why] of unread) {
  test(`a layer is refused that ${name}`, async () => {
    const error = await failure(view([{ a: 'content' }], bytes, mediaType));
    assert.equal(error.code, 'LAYOUT_INVALID');
    assert.match(error.details.join('\n'), why);
  });
}

const tree: ImageFiles = await view([
  {
    'usr/bin/': directory,
    'usr/bin/dash': { mode: 0o755 },
    'usr/bin/sh': link('dash'),
    bin: link('usr/bin'),
    up: link('../../usr'),
    round: link('/round'),
    absolute: link('/bin/sh'),
  },
]);
const paths: readonly (readonly [string, string])[] = [
  ['/usr/bin/dash', '/usr/bin/dash'],
  ['/bin/sh', '/usr/bin/dash'],
  ['/bin/../bin/./sh', '/usr/bin/dash'],
  ['/up/bin/sh', '/usr/bin/dash'],
  ['/absolute', '/usr/bin/dash'],
  ['/bin/none', '/usr/bin/none'],
  ['/../../bin/sh', '/usr/bin/dash'],
  ['/round', '/round'],
  ['/', '/'],
];
for (const [path, expected] of paths) {
  test(`${path} leads to ${expected}`, () => assert.equal(resolvePath(tree, path), expected));
}
test('the last part is left alone where it is asked for', () => {
  assert.equal(resolvePath(tree, '/bin/sh', false), '/usr/bin/sh');
});
