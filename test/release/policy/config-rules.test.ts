import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readLayout } from '../../../src/release/image/layout.ts';
import { configRules } from '../../../src/release/policy/config-rules.ts';
import { writeLayout } from '../image/layout-fixture.ts';

const dir = await mkdtemp(join(tmpdir(), 'thoth-config-'));
after(() => rm(dir, { recursive: true, force: true }));
await writeLayout(dir, { platforms: ['linux/amd64'] });
const [image] = (await readLayout(dir)).platforms;
assert.ok(image);

const layers = [1, 30, 2, 3].map((size) => ({ mediaType: '', digest: `sha256:${size}`, size: size * 1e6 }));
const history = ['COPY a /', 'COPY b /', 'COPY c /', 'COPY d /'].map((created_by) => ({ created_by }));
const large = { ...image, layers };

const sizes: readonly (readonly [string, number, number | undefined, string | undefined])[] = [
  ['500 MB are not too large', 500_000_000, undefined, undefined],
  [
    'a byte more is, and the layers that cost most are named',
    500_000_001,
    undefined,
    'it is 500.0 MB, over 500.0 MB; its largest layers are sha256:30 30.0 MB, sha256:3 3.0 MB, sha256:2 2.0 MB',
  ],
  ['a limit of its own is kept to the byte', 60_000_000, 60, undefined],
  [
    'a limit of its own is broken by a byte',
    60_000_001,
    60,
    'it is 60.0 MB, over 60.0 MB; its largest layers are sha256:30 30.0 MB, sha256:3 3.0 MB, sha256:2 2.0 MB',
  ],
];
for (const [name, size, sizeLimit, message] of sizes) {
  test(`size: ${name}`, () => {
    const found = [...configRules({ ...large, size }, { platforms: [], sizeLimit })];
    assert.deepEqual(found, message === undefined ? [] : [{ rule: 'size', message }]);
  });
}

test('size: the step that made a layer is named where it is known', () => {
  const known = { ...large, size: 2, config: { ...image.config, history } };
  const [found] = configRules(known, { platforms: [], sizeLimit: 0.000001 });
  assert.match(found?.message ?? '', /sha256:30 30\.0 MB \(COPY b \/\), sha256:3 3\.0 MB \(COPY d \/\)/);
});
