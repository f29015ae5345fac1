import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import type { ErrorCode } from '../../../src/release/errors.ts';
import { blobPath, type Layout, readLayout, verifyLayout } from '../../../src/release/image/layout.ts';
import type { Descriptor } from '../../../src/release/image/oci.ts';
import { failure } from '../machine/failure.ts';
import { labelsOf, MEDIA, putBlob, putJson, writeIndex, writeLayout } from './layout-fixture.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'thoth-layout-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('a layout is read whole: index, both platforms, configs and sizes', async () => {
  const entry = await writeLayout(dir, { version: '2.1.0', layers: [{ a: 'one' }, { b: 'two' }] });
  const layout = await readLayout(dir);
  await verifyLayout(layout);
  assert.equal(layout.dir, dir);
  assert.equal(layout.index.digest, entry.digest);
  assert.deepEqual(layout.annotations, labelsOf('2.1.0'));
  assert.deepEqual(
    layout.platforms.map(({ platform }) => platform),
    ['linux/amd64', 'linux/arm64'],
  );
  for (const image of layout.platforms) {
    const manifest = JSON.parse(await readFile(blobPath(dir, image.digest), 'utf8'));
    assert.equal(image.configDigest, manifest.config.digest);
    assert.deepEqual(image.layers, manifest.layers);
    assert.deepEqual(image.annotations, labelsOf('2.1.0'));
    assert.equal(image.config.architecture, image.platform.split('/')[1]);
    assert.equal(image.config.config.User, '65532:65532');
    const layers = image.layers.reduce((sum, layer) => sum + layer.size, 0);
    assert.equal(image.size, image.manifest.size + manifest.config.size + layers);
  }
  // The layers are the same bytes on both platforms, and are counted once: index, 2 manifests, 2 configs, 2 layers.
  assert.equal(layout.blobs.length, 7);
  assert.equal(new Set(layout.blobs.map(({ digest }) => digest)).size, 7);
});

test('the same options give the same digest, other options another', async () => {
  const first = await writeLayout(dir);
  assert.equal((await writeLayout(dir)).digest, first.digest);
  assert.notEqual((await writeLayout(dir, { version: '1.0.1' })).digest, first.digest);
});

const names: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['one platform', ['linux/amd64'], ['linux/amd64']],
  ['the only variant of arm64 goes without saying', ['linux/arm64/v8'], ['linux/arm64']],
  ['the variants of arm are told apart', ['linux/arm/v6', 'linux/arm/v7'], ['linux/arm/v6', 'linux/arm/v7']],
];
for (const [name, platforms, expected] of names) {
  test(`names of platforms: ${name}`, async () => {
    await writeLayout(dir, { platforms });
    assert.deepEqual(
      (await readLayout(dir)).platforms.map(({ platform }) => platform),
      expected,
    );
  });
}

/** The manifest of one platform in a layout that was just written. */
async function manifestOf(platform: string): Promise<Descriptor> {
  await writeLayout(dir, { platforms: [platform] });
  const [image] = (await readLayout(dir)).platforms;
  assert.ok(image);
  return image.manifest;
}

/** Makes the layout one with an image index of `manifests`. */
async function reindex(manifests: readonly Descriptor[]): Promise<void> {
  await writeIndex(dir, [await putJson(dir, MEDIA.index, { schemaVersion: 2, manifests })]);
}

test("BuildKit's attestations are verified, and are no platform", async () => {
  const image = await manifestOf('linux/amd64');
  const statement = await putBlob(dir, 'application/vnd.in-toto+json', Buffer.from('{}'));
  const config = await putJson(dir, MEDIA.config, { architecture: 'unknown', os: 'unknown' });
  const manifest = await putJson(dir, MEDIA.manifest, { schemaVersion: 2, config, layers: [statement] });
  const annotations = { 'vnd.docker.reference.type': 'attestation-manifest' };
  const platform = { os: 'unknown', architecture: 'unknown' };
  await reindex([image, { ...manifest, platform, annotations }]);

  const layout = await readLayout(dir);
  assert.deepEqual(
    layout.platforms.map(({ digest }) => digest),
    [image.digest],
  );
  await writeFile(blobPath(dir, statement.digest), '[]');
  const error = await failure(verifyLayout(layout));
  assert.match(
    error.details.join('\n'),
    new RegExp(`^${statement.digest}: its bytes hash to sha256:[0-9a-f]{64}$`),
  );
});

type Prepare = () => Promise<unknown>;
const unread: readonly (readonly [string, ErrorCode, RegExp, Prepare])[] = [
  ['an empty folder', 'LAYOUT_INVALID', /its oci-layout is missing/, async () => undefined],
  [
    'no index.json',
    'LAYOUT_INVALID',
    /its index.json is missing/,
    async () => {
      await writeLayout(dir);
      await rm(join(dir, 'index.json'));
    },
  ],
  [
    'another version of the format',
    'LAYOUT_INVALID',
    /oci-layout has not the form/,
    async () => {
      await writeLayout(dir);
      await writeFile(join(dir, 'oci-layout'), '{"imageLayoutVersion":"2.0.0"}');
    },
  ],
  [
    'an index.json that is cut off',
    'LAYOUT_INVALID',
    /index.json has not the form/,
    async () => {
      await writeLayout(dir);
      await writeFile(join(dir, 'index.json'), (await readFile(join(dir, 'index.json'))).subarray(0, -3));
    },
  ],
  [
    'two images',
    'LAYOUT_INVALID',
    /names 2 images/,
    async () => {
      const entry = await writeLayout(dir);
      await writeIndex(dir, [entry, await writeLayout(dir, { version: '9.9.9' })]);
    },
  ],
  [
    'no image',
    'LAYOUT_INVALID',
    /names 0 images/,
    async () => {
      await writeLayout(dir);
      await writeFile(join(dir, 'index.json'), '{"schemaVersion":2,"manifests":[]}');
    },
  ],
  [
    'an image without an index',
    'LAYOUT_INVALID',
    /is a application\/vnd\.oci\.image\.manifest/,
    async () => {
      await writeIndex(dir, [await manifestOf('linux/amd64')]);
    },
  ],
  ['an index with nothing in it', 'LAYOUT_INVALID', /names no platform/, () => reindex([])],
  [
    'a manifest without a platform',
    'LAYOUT_INVALID',
    /names no platform/,
    async () => {
      const { mediaType, digest, size } = await manifestOf('linux/amd64');
      await reindex([{ mediaType, digest, size }]);
    },
  ],
  [
    'an architecture that the config denies',
    'LAYOUT_INVALID',
    /linux\/arm64 where .* linux\/amd64/,
    async () => {
      await reindex([
        { ...(await manifestOf('linux/amd64')), platform: { os: 'linux', architecture: 'arm64' } },
      ]);
    },
  ],
  [
    'an operating system that the config denies',
    'LAYOUT_INVALID',
    /windows\/amd64 where .* linux\/amd64/,
    async () => {
      await reindex([
        { ...(await manifestOf('linux/amd64')), platform: { os: 'windows', architecture: 'amd64' } },
      ]);
    },
  ],
  [
    'a variant that the config denies',
    'LAYOUT_INVALID',
    /linux\/arm\/v6 where .* linux\/arm\/v7/,
    async () => {
      const platform = { os: 'linux', architecture: 'arm', variant: 'v6' };
      await reindex([{ ...(await manifestOf('linux/arm/v7')), platform }]);
    },
  ],
  [
    'a platform twice',
    'LAYOUT_INVALID',
    /a platform twice: linux\/amd64, linux\/amd64/,
    async () => {
      const manifest = await manifestOf('linux/amd64');
      await reindex([manifest, manifest]);
    },
  ],
  [
    'an index in the index',
    'LAYOUT_INVALID',
    /has not the form/,
    async () => {
      const manifest = await manifestOf('linux/amd64');
      const inner = await putJson(dir, MEDIA.index, { schemaVersion: 2, manifests: [manifest] });
      await reindex([{ ...inner, platform: { os: 'linux', architecture: 'amd64' } }]);
    },
  ],
  [
    "a size that is not the blob's",
    'LAYOUT_CORRUPT',
    /changed after it was built/,
    async () => {
      const manifest = await manifestOf('linux/amd64');
      await reindex([{ ...manifest, size: manifest.size + 1 }]);
    },
  ],
];
for (const [name, code, message, prepare] of unread) {
  test(`not a release: ${name}`, async () => {
    await prepare();
    const error = await failure(readLayout(dir));
    assert.equal(error.code, code);
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /\n/);
  });
}

for (const digest of [
  'sha256:../../../../etc/hostname',
  `sha256:../sha256/${'a'.repeat(64)}`,
  `sha256:/${'a'.repeat(63)}`,
  `sha256:${'A'.repeat(64)}`,
  `sha256:${'a'.repeat(63)}`,
  `sha256:${'a'.repeat(65)}`,
  `sha256:${'a'.repeat(64)}\n`,
  `../${'a'.repeat(64)}`,
  `sha512:${'a'.repeat(128)}`,
  '',
]) {
  test(`no path is made of the digest ${JSON.stringify(digest.slice(0, 40))}`, async () => {
    const { platform } = await manifestOf('linux/amd64');
    await reindex([{ mediaType: MEDIA.manifest, digest, size: 2, ...(platform && { platform }) }]);
    const error = await failure(readLayout(dir));
    assert.equal(error.code, 'LAYOUT_INVALID');
    assert.match(error.details.join('\n'), /not a sha256 digest\n.*manifests\[0\]\.digest/);
  });
}

/** Each kind of blob, and which of the two functions looks inside it. */
const blobs: readonly (readonly [string, (layout: Layout) => string | undefined, 'read' | 'verify'])[] = [
  ['index', (layout) => layout.index.digest, 'read'],
  ['manifest', (layout) => layout.platforms[1]?.digest, 'read'],
  ['config', (layout) => layout.platforms[1]?.configDigest, 'read'],
  ['layer', (layout) => layout.platforms[1]?.layers[1]?.digest, 'verify'],
];
const damages: readonly (readonly [string, RegExp, (path: string) => Promise<void>])[] = [
  ['is missing', /: missing$/, (path) => rm(path)],
  [
    'has one bit flipped',
    /: its bytes hash to sha256:[0-9a-f]{64}$/,
    async (path) => {
      const bytes = await readFile(path);
      bytes.writeUInt8(bytes.readUInt8(40) ^ 1, 40);
      await writeFile(path, bytes);
    },
  ],
  [
    'is cut off',
    /: its bytes hash to sha256:[0-9a-f]{64}$/,
    async (path) => writeFile(path, (await readFile(path)).subarray(0, -1)),
  ],
  ['is empty', /: its bytes hash to sha256:e3b0c442/, (path) => writeFile(path, '')],
];
for (const [kind, digestOf, by] of blobs) {
  for (const [what, detail, damage] of damages) {
    test(`a ${kind} that ${what} is named`, async () => {
      await writeLayout(dir, { layers: [{ a: 'one' }, { b: 'two' }] });
      const layout = await readLayout(dir);
      const digest = digestOf(layout);
      assert.ok(digest);
      await damage(blobPath(dir, digest));
      const checks = [failure(verifyLayout(layout)), ...(by === 'read' ? [failure(readLayout(dir))] : [])];
      if (by === 'verify') await readLayout(dir);
      for (const error of await Promise.all(checks)) {
        assert.equal(error.code, 'LAYOUT_CORRUPT');
        assert.equal(error.details.length, 1);
        assert.match(error.details[0] ?? '', detail);
        assert.ok(error.details[0]?.startsWith(digest));
      }
    });
  }
}

test('every damaged blob is named, not the first alone', async () => {
  await writeLayout(dir, { layers: [{ a: 'one' }, { b: 'two' }] });
  const layout = await readLayout(dir);
  const layers = layout.platforms[0]?.layers ?? [];
  for (const layer of layers) await rm(blobPath(dir, layer.digest));
  assert.equal((await failure(verifyLayout(layout))).details.length, 2);
});

test('a layer whose size is not what its descriptor says is named', async () => {
  await writeLayout(dir);
  const layout = await readLayout(dir);
  const blobs = layout.blobs.map((blob) => (blob.mediaType === MEDIA.layer ? { ...blob, size: 1 } : blob));
  const error = await failure(verifyLayout({ ...layout, blobs }));
  assert.match(error.details.join('\n'), /: it has \d+ bytes, and its descriptor says 1$/);
});
