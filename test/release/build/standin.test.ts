import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, test } from 'node:test';
import { readBases } from '../../../src/release/build/dockerfile.ts';
import { standInImages } from '../../../src/release/build/standin.ts';
import { readConfig } from '../../../src/release/config/read.ts';
import type { Regctl } from '../../../src/release/registry/regctl.ts';
import { failure } from '../machine/failure.ts';
import { withPrograms } from '../machine/fake-programs.ts';

const PROJECT = resolve(import.meta.dirname, '../../..');
const { build } = readConfig(PROJECT);
const DIGEST = `sha256:${'0'.repeat(64)}`;
/** Answers as npm does after it fetched a package, with a checksum that is not the lock file's. */
const OTHER_NPM = `echo '[{"filename":"x.tgz","integrity":"sha512-other"}]'`;

/** Unpacks nothing: `sh rootfs.sh ARCHITECTURE OUT PACKAGE...` */
const SH = ': > "$3"';

const EMPTY: Regctl = async () => ({ exitCode: 1, stdout: '', stderr: 'not found' });
const FULL: Regctl = async () => ({ exitCode: 0, stdout: `${DIGEST}\n`, stderr: '' });

const make = (
  programs: Readonly<Record<string, string>>,
  regctl: Regctl,
  architectures = ['amd64', 'arm64'],
) =>
  withPrograms(programs, async (home) => {
    const options = { project: PROJECT, home, build, architectures, registry: '127.0.0.1:5000', regctl };
    const work = standInImages(await readBases(options), { ...options, say: () => undefined });
    await work.catch(() => undefined);
    assert.ok(!existsSync(join(home, 'standin')), 'its work folder is left behind');
    return work;
  });

describe('the stand-in for the base images', () => {
  test('is taken from the registry where an earlier run left it', async () => {
    assert.deepEqual(await make({}, FULL), {
      NODE_IMAGE: `127.0.0.1:5000/standin/node_image@${DIGEST}`,
      RUNTIME_IMAGE: `127.0.0.1:5000/standin/runtime_image@${DIGEST}`,
    });
  });

  test('is asked for by another tag for other platforms', async () => {
    const asked: string[] = [];
    const noting: Regctl = async (args) => {
      asked.push(args.at(-1) ?? '');
      return FULL(args);
    };
    await make({}, noting);
    await make({}, noting, ['amd64']);
    // The build stage's is for this machine alone, whatever is released.
    assert.equal(new Set(asked).size, 3);
  });

  const FAULTS: readonly [string, Readonly<Record<string, string>>, string[], string, RegExp][] = [
    ['there is no mmdebstrap', { npm: OTHER_NPM }, ['amd64'], 'TOOL_MISSING', /mmdebstrap/],
    [
      'a package is not the pinned one',
      { npm: OTHER_NPM, mmdebstrap: '', sh: SH },
      ['amd64'],
      'BASE_IMAGE',
      /package-lock/,
    ],
    [
      'npm fails',
      { npm: 'echo ENOTFOUND >&2; exit 1', mmdebstrap: '', sh: SH },
      ['amd64'],
      'BASE_IMAGE',
      /ENOTFOUND/,
    ],
    [
      'there is no Node.js for a platform',
      { npm: OTHER_NPM, mmdebstrap: '', sh: SH },
      ['s390x'],
      'BASE_IMAGE',
      /s390x/,
    ],
  ];
  for (const [title, programs, architectures, code, text] of FAULTS) {
    test(`fails where ${title}`, async () => {
      const error = await failure(make(programs, EMPTY, architectures));
      assert.equal(error.code, code);
      assert.match([error.message, ...error.details].join('\n'), text);
    });
  }
});
