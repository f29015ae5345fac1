import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
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
  for (const name of ['thoth', 'licenses.txt', 'package.json']) {
    const [one, two] = [bundle, again].map(({ directory }) => readFileSync(join(directory, name)));
    assert.ok(one !== undefined && two !== undefined && one.equals(two), name);
  }
  again.remove();
  copy.remove();
});

test('licenses.txt names every bundled package, and there are few', () => {
  const packages = [...bundle.output.matchAll(/^ {2}(\S+@\d\S*) /gm)].map((match) => match[1] ?? '');
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
