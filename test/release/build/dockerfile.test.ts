import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { findBases, readBases } from '../../../src/release/build/dockerfile.ts';
import { BUILD } from '../config/defaults.ts';
import { failure } from '../machine/failure.ts';

const folder = mkdtempSync(join(tmpdir(), 'thoth-dockerfile-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A Dockerfile, and its bases as `ARGUMENT image`, with `native` and `released` where it is so. */
const FOUND: readonly (readonly [string, string, readonly string[]])[] = [
  ['one stage', `ARG A=x:1\nFROM \${A}\n`, ['A x:1 released']],
  [
    'without braces, in small letters, in Windows lines',
    'arg A="x:1"\r\nfrom $A as b\r\n',
    ['A x:1 released'],
  ],
  [
    'a native stage and another',
    `ARG A=x\nARG B=y\nFROM --platform=$BUILDPLATFORM \${A} AS build\nFROM \${B}\nCOPY --from=build /a /a\n`,
    ['A x native', 'B y released'],
  ],
  [
    'both stages on one',
    `ARG A=x\nFROM --platform=\${BUILDPLATFORM} $A AS one\nFROM $A\n`,
    ['A x native released'],
  ],
  [
    'on an earlier stage, and on nothing',
    'ARG A=x\nFROM $A AS One\nFROM one\nFROM scratch\nCOPY --from=0 a b\n',
    ['A x released'],
  ],
];

/** A line that names an image itself, and what is told. */
const WRONG: readonly (readonly [string, string, RegExp])[] = [
  [
    'an image in FROM',
    'FROM python:3.11-slim\n',
    /^line 1: "FROM python:3\.11-slim": write ARG BASE_IMAGE=python:3\.11-slim on top, and FROM \$\{BASE_IMAGE\}$/,
  ],
  ['an ARG without a default', 'ARG A\nFROM $A\n', /^line 2: .*ARG A=an image/],
  ['an ARG that comes too late', 'ARG A=x\nFROM $A\nARG B=y\nFROM $B\n', /^line 4: .*ARG B=/],
  ['an ARG within a name', 'ARG V=3\nFROM python:$V\n', /^line 2: /],
  [
    'an image in COPY',
    'ARG A=x\nFROM $A\nCOPY --link --from=ghcr.io/uv:1 /uv /uv\n',
    /^line 3: "ghcr\.io\/uv:1" is no stage/,
  ],
];

describe('the base images of a Dockerfile', () => {
  for (const [what, text, expected] of FOUND) {
    test(`are found: ${what}`, () => {
      const { bases, faults } = findBases(text);
      assert.deepEqual(faults, []);
      const told = bases.map(({ argument, image, native, released }) =>
        [argument, image, ...(native ? ['native'] : []), ...(released ? ['released'] : [])].join(' '),
      );
      assert.deepEqual(told, expected);
    });
  }

  for (const [what, text, expected] of WRONG) {
    test(`are refused: ${what}`, () => {
      const { faults } = findBases(text);
      assert.equal(faults.length, 1);
      assert.match(faults[0] ?? '', expected);
    });
  }

  test('are not there without a Dockerfile', async () => {
    const error = await failure(readBases({ project: folder, build: BUILD }));
    assert.equal(error.code, 'CONFIG_INVALID');
    assert.match(error.message, /^There is no Dockerfile in /);
  });

  test('are pinned by digest in this project', async () => {
    const bases = await readBases({ project: join(import.meta.dirname, '../../..'), build: BUILD });
    assert.deepEqual(
      bases.map(({ argument, native, released }) => [argument, native, released]),
      [
        ['NODE_IMAGE', true, false],
        ['RUNTIME_IMAGE', false, true],
      ],
    );
    for (const { image } of bases) assert.match(image, /@sha256:[0-9a-f]{64}$/);
  });
});
