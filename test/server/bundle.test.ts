import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { z } from 'zod';
import { type Bundle, copyProject, makeBundle } from './bundle.ts';

const MOST_PACKAGES = 30;
let bundle: Bundle;
let code: string;
before(async () => {
  bundle = await makeBundle({ THOTH_VERSION: '9.8.7', THOTH_REVISION: 'abc123' });
  code = readFileSync(bundle.file, 'utf8');
});
after(() => bundle.remove());

test('the bundle is an executable script for the Node of the runtime image', () => {
  assert.equal(code.slice(0, code.indexOf('\n')), '#!/nodejs/bin/node');
  assert.equal(statSync(bundle.file).mode & 0o777, 0o755);
});

test('it has no source map and no path of this machine', () => {
  assert.equal(code.includes('sourceMappingURL'), false);
  assert.equal(code.includes(new URL('../..', import.meta.url).pathname.replace(/\/$/, '')), false);
  assert.equal(code.includes('node_modules/'), false);
});

test('version and commit come from the build', () => {
  const facts: unknown = JSON.parse(
    execFileSync(process.execPath, [bundle.file, 'version', '--json'], { encoding: 'utf8' }),
  );
  assert.deepEqual(facts, { version: '9.8.7', revision: 'abc123', node: process.versions.node });
});

test('the same sources elsewhere give the same bytes', async () => {
  const copy = copyProject();
  const again = await makeBundle({ THOTH_VERSION: '9.8.7', THOTH_REVISION: 'abc123' }, copy.project);
  for (const name of ['thoth', 'licenses.txt', 'thoth.cdx.json', 'package.json']) {
    const [one, two] = [bundle, again].map(({ directory }) => readFileSync(join(directory, name)));
    assert.ok(one !== undefined && two !== undefined && one.equals(two), name);
  }
  again.remove();
  copy.remove();
});

/** The packages that bundle.mjs says it bundled: `hono@4.13.19`. */
const bundled = () => [...bundle.output.matchAll(/^ {2}(\S+@\d\S*) /gm)].map((match) => match[1] ?? '');

test('licenses.txt names every bundled package, and there are few', () => {
  const packages = bundled();
  for (const name of ['hono', 'pino', 'zod']) {
    assert.ok(
      packages.some((entry) => entry.startsWith(`${name}@`)),
      name,
    );
  }
  assert.ok(packages.length <= MOST_PACKAGES, `${packages.length} packages`);
  const lines = new Set(readFileSync(join(bundle.directory, 'licenses.txt'), 'utf8').split('\n'));
  for (const name of packages) assert.ok(lines.has(name), name);
});

/** The part of CycloneDX 1.6 that scanners read; strict, so that nothing unknown slips in. */
const Bom = z.strictObject({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  version: z.literal(1),
  metadata: z.strictObject({
    component: z.strictObject({
      type: z.literal('application'),
      'bom-ref': z.literal('thoth'),
      name: z.literal('thoth'),
      version: z.literal('9.8.7'),
    }),
  }),
  components: z.array(
    z.strictObject({
      type: z.literal('library'),
      'bom-ref': z.string(),
      group: z.string().startsWith('@').optional(),
      name: z.string().regex(/^[^/@]+$/),
      version: z.string(),
      licenses: z.tuple([
        z.union([
          z.strictObject({ license: z.strictObject({ id: z.string() }) }),
          z.strictObject({ expression: z.string() }),
        ]),
      ]),
      purl: z.string().regex(/^pkg:npm\/(%40[^@/]+\/)?[^@/]+@[^@]+$/),
    }),
  ),
  dependencies: z.tuple([z.strictObject({ ref: z.literal('thoth'), dependsOn: z.array(z.string()) })]),
});

test('thoth.cdx.json lists every bundled package, so that a scanner sees them', () => {
  const bom = Bom.parse(JSON.parse(readFileSync(join(bundle.directory, 'thoth.cdx.json'), 'utf8')));
  const listed = bom.components.map(({ group, name, version }) =>
    [...(group === undefined ? [] : [`${group}/`]), `${name}@${version}`].join(''),
  );
  assert.deepEqual(listed, bundled());
  const refs = bom.components.map((component) => component['bom-ref']);
  assert.deepEqual(bom.dependencies[0].dependsOn, refs);
  assert.equal(new Set(refs).size, refs.length);
});
