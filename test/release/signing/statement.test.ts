import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  BUNDLE_TYPE,
  isBundleType,
  PREDICATE,
  readBundle,
  statementOn,
  subjectsOf,
} from '../../../src/release/signing/statement.ts';

const DIGEST = `sha256:${'1'.repeat(64)}`;
const STATEMENT = statementOn([DIGEST], PREDICATE.signature, {}, 'docker.io/a/b');
const HINT = 'ab'.repeat(32);

function bundle(changes: Record<string, unknown> = {}, statement: unknown = STATEMENT): string {
  return JSON.stringify({
    mediaType: BUNDLE_TYPE,
    verificationMaterial: { publicKey: { hint: Buffer.from(HINT, 'hex').toString('base64') } },
    dsseEnvelope: { payload: Buffer.from(JSON.stringify(statement)).toString('base64') },
    ...changes,
  });
}

describe('a statement', () => {
  test('is about digests, with a name where there is one', () => {
    assert.deepEqual(STATEMENT, {
      _type: 'https://in-toto.io/Statement/v1',
      subject: [{ name: 'docker.io/a/b', digest: { sha256: '1'.repeat(64) } }],
      predicateType: 'https://sigstore.dev/cosign/sign/v1',
      predicate: {},
    });
    assert.deepEqual(subjectsOf(STATEMENT), [DIGEST]);
    assert.deepEqual(subjectsOf(statementOn([DIGEST], 'x', {})), [DIGEST]);
  });

  test('is about nothing known where the digest is of another kind', () => {
    assert.deepEqual(subjectsOf({ ...STATEMENT, subject: [{ digest: { sha512: 'x' } }] }), []);
  });
});

describe('a bundle', () => {
  test('is read, with the key that it says it is signed with', () => {
    assert.deepEqual(readBundle(bundle()), { statement: STATEMENT, keyHint: HINT });
    const certified = readBundle(bundle({ verificationMaterial: { certificate: {} } }));
    assert.deepEqual(certified, { statement: STATEMENT, keyHint: undefined });
  });

  const NONE: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['no JSON', 'bundle'],
    ['another kind', bundle({ mediaType: 'application/json' })],
    ['no envelope', bundle({ dsseEnvelope: undefined })],
    ['a payload that is no text of base64', bundle({ dsseEnvelope: { payload: '%' } })],
    ['a payload that is no statement', bundle({}, { _type: 'x' })],
    [
      'an older statement, as `cosign attest` writes',
      bundle({}, { ...STATEMENT, _type: 'https://in-toto.io/Statement/v0.1' }),
    ],
    ['a statement about nothing', bundle({}, { ...STATEMENT, subject: [] })],
  ];
  for (const [what, text] of NONE)
    test(`that is ${what} is none`, () => assert.equal(readBundle(text), undefined));

  test('is told by its type', () => {
    assert.ok(isBundleType(BUNDLE_TYPE));
    assert.ok(isBundleType('application/vnd.dev.sigstore.bundle.v0.4+json'));
    for (const other of [undefined, 'application/spdx+json']) assert.ok(!isBundleType(other));
  });
});
