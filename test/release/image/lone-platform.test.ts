import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { readLayout } from '../../../src/release/image/layout.ts';
import { coverLonePlatform } from '../../../src/release/image/lone-platform.ts';
import { failure } from '../machine/failure.ts';
import { writeIndex, writeLayout } from './layout-fixture.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'thoth-lone-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

for (const platform of ['linux/amd64', 'linux/arm64', 'linux/arm/v7']) {
  test(`an engine's only manifest is put under an index, as it is: ${platform}`, async () => {
    await writeLayout(dir, { platforms: [platform] });
    const [image] = (await readLayout(dir)).platforms;
    assert.ok(image);
    const { mediaType, digest, size } = image.manifest;
    await writeIndex(dir, [{ mediaType, digest, size }]);
    assert.equal((await failure(readLayout(dir))).code, 'LAYOUT_INVALID');

    await coverLonePlatform(dir);
    const covered = await readLayout(dir);
    assert.deepEqual(
      covered.platforms.map((one) => [one.platform, one.digest]),
      [[platform, digest]],
    );
  });
}

test('a layout with an index stays as it is', async () => {
  await writeLayout(dir);
  const before = await readFile(join(dir, 'index.json'), 'utf8');
  await coverLonePlatform(dir);
  assert.equal(await readFile(join(dir, 'index.json'), 'utf8'), before);
});
