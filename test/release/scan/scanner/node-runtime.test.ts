import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readLayout } from '../../../../src/release/image/layout.ts';
import { findNode } from '../../../../src/release/scan/scanner/node-runtime.ts';
import { writeLayout } from '../../image/layout-fixture.ts';
import type { TarFiles } from '../../image/tar.ts';

const folder = await mkdtemp(join(tmpdir(), 'thoth-node-'));
after(() => rm(folder, { recursive: true, force: true }));

/** A program that says which version it is after so many bytes. */
const node = (version: string, at = 1_500_000) =>
  Buffer.concat([Buffer.alloc(at), Buffer.from(`node.js/v${version}`), Buffer.alloc(2_000_000 - at)]);

const cases: readonly (readonly [string, readonly TarFiles[], string | undefined])[] = [
  [
    'is found where the distroless images have it',
    [{ 'nodejs/bin/node': node('24.1.2') }],
    '/nodejs/bin/node 24.1.2',
  ],
  [
    'is found where the official image has it',
    [{}, { 'usr/local/bin/node': node('22.0.0') }, {}],
    '/usr/local/bin/node 22.0.0',
  ],
  ['is that of the last layer', [{ 'n/node': node('1.0.0') }, { 'n/node': node('2.0.0') }], '/n/node 2.0.0'],
  ['is no script of that name', [{ 'bin/node': '#!/bin/sh\necho node.js/v1.0.0\n' }], undefined],
  ['is no other program', [{ 'bin/nodejs': node('1.0.0') }], undefined],
  ['is not guessed', [{ 'bin/node': Buffer.alloc(2_000_000) }], undefined],
];
for (const [name, layers, expected] of cases) {
  test(`Node.js ${name}`, async () => {
    const dir = await mkdtemp(join(folder, 'layout-'));
    await writeLayout(dir, { platforms: ['linux/amd64'], layers });
    const [image] = (await readLayout(dir)).platforms;
    assert.ok(image);
    const found = await findNode(dir, image);
    assert.equal(found && `${found.path} ${found.version}`, expected);
  });
}

test('the version is found wherever the reads of the file part it', async () => {
  const dir = await mkdtemp(join(folder, 'layout-'));
  // Reads are of 16 or 64 KiB, and the header of 512 bytes is before the content.
  const layers = Array.from({ length: 24 }, (_, n) => ({
    [`n${n}/node`]: node('24.21.0', 1_048_576 - 520 + n),
  }));
  await writeLayout(dir, { platforms: ['linux/amd64'], layers });
  const [image] = (await readLayout(dir)).platforms;
  assert.ok(image);
  for (const layer of image.layers) {
    assert.equal((await findNode(dir, { ...image, layers: [layer] }))?.version, '24.21.0');
  }
});
