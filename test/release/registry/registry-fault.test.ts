import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { faultError, faultOf, type RegistryFault } from '../../../src/release/registry/registry-fault.ts';

const WARNING =
  'time=2026-01-02T03:04:05.000Z level=WARN msg="Failed to load docker creds" err="unexpected EOF"';
const TLS_WARNING =
  'time=2026-01-02T03:04:05.000Z level=WARN msg="Changing TLS settings for registry" orig=enabled new=disabled';

/** What regctl 0.11 prints, each as it was seen. */
const SAID: readonly (readonly [string, RegistryFault['code'], RegistryFault['passes'], RegExp?])[] = [
  ['failed to list tags for host/x:latest: unauthorized', 'REGISTRY_DENIED', 'never', /docker login/],
  ['request failed: forbidden [http 403]: {"errors":[{"code":"DENIED"}]}', 'REGISTRY_DENIED', 'never'],
  ['request failed: not found [http 404]: ', 'absent', 'soon'],
  // Only the registry itself can say so.
  ['exec: "docker-credential-x": executable file not found in $PATH', 'REGISTRY_UNREACHABLE', 'maybe'],
  ['unexpected http status code: Method Not Allowed [http 405]: ', 'REGISTRY_FAILED', 'never'],
  ['unexpected http status code: Bad Request [http 400]: ', 'REGISTRY_FAILED', 'never', /THOTH_REGISTRY_CA/],
  ['rate limit exceeded [http 429]: ', 'REGISTRY_UNREACHABLE', 'maybe'],
  ['unexpected http status code: Service Unavailable [http 503]: ', 'REGISTRY_UNREACHABLE', 'maybe'],
  [
    'Get "https://host/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority',
    'REGISTRY_UNREACHABLE',
    'never',
    /THOTH_REGISTRY_CA/,
  ],
  [
    'x509: certificate has expired or is not yet valid: current time is before',
    'REGISTRY_UNREACHABLE',
    'never',
    /clock/,
  ],
  [
    'http: server gave HTTP response to HTTPS client',
    'REGISTRY_UNREACHABLE',
    'never',
    /THOTH_REGISTRY_PLAIN_HTTP/,
  ],
  ['dial tcp: lookup nowhere.invalid: no such host', 'REGISTRY_UNREACHABLE', 'unreachable'],
  ['dial tcp 127.0.0.1:1: connect: connection refused', 'REGISTRY_UNREACHABLE', 'unreachable'],
  ['manifest digest mismatch, expected sha256:a, computed sha256:b', 'VERIFY_FAILED', 'soon'],
  ['unsupported media type: "text/html"', 'REGISTRY_FAILED', 'soon', /name/],
  ["invalid character '<' looking for beginning of value", 'REGISTRY_FAILED', 'soon', /name/],
  ['unexpected EOF', 'REGISTRY_UNREACHABLE', 'maybe'],
  ['write /home/x/blobs/1.tmp: no space left on device', 'DISK', 'never', /room/],
  ['open /home/x/oci-layout: permission denied', 'DISK', 'never', /--home/],
  // The disk of the registry is no concern of this machine's.
  ['[http 500]: {"errors":[{"detail":"no space left on device"}]}', 'REGISTRY_UNREACHABLE', 'maybe'],
  ['unexpected [http 403]\nopen /x: permission denied', 'REGISTRY_DENIED', 'never'],
  ['request failed [http 500]: open /x: permission denied', 'REGISTRY_DENIED', 'never'],
  ['request failed [http 416]: ', 'REGISTRY_FAILED', 'maybe', /line above/],
  ['{"code":"BLOB_UPLOAD_UNKNOWN"} [http 404]', 'absent', 'soon'],
  ['{"code":"DIGEST_INVALID"} [http 400]', 'REGISTRY_FAILED', 'maybe'],
  // Its error names no cause: a warning does.
  [`${TLS_WARNING} err="write /x: no space left on device"\nretry limit exceeded`, 'DISK', 'never'],
  // Its error names one: a warning does not count.
  [`${WARNING.replace('unexpected EOF', '[http 404]')}\nunauthorized`, 'REGISTRY_DENIED', 'never'],
  ['', 'REGISTRY_UNREACHABLE', 'maybe'],
];

describe('what regctl says', () => {
  for (const [stderr, code, passes, remedy = /./] of SAID) {
    test(`${JSON.stringify(stderr.slice(0, 70))} is ${code}, and passes: ${passes}`, () => {
      const fault = faultOf({ stderr });
      assert.deepEqual([fault.code, fault.passes], [code, passes]);
      assert.match(fault.remedy, remedy);
    });
  }

  test('is quoted: its error first, without noise, and without credentials', () => {
    const stderr = `${TLS_WARNING}\n${WARNING}\ndenied: Authorization: Basic dGhvdGg6c2VjcmV0 and bearer abc.def-_=\n`;
    const error = faultError('host/x', faultOf({ stderr }), { exitCode: 1, stdout: '', stderr });
    assert.deepEqual(error.details, ['denied: Authorization: Basic *** and bearer ***', WARNING]);
    assert.match(error.message, /^host\/x refused the credentials/);
  });

  test('is quoted in three lines at the most', () => {
    const stderr = ['one', '  ', 'two', 'bearer  abc', 'four'].join('\n');
    const error = faultError('host/x', faultOf({ stderr }), { exitCode: 1, stdout: '', stderr });
    assert.deepEqual(error.details, ['one', 'two', 'bearer ***']);
  });

  test('of a fault keeps its code', () => {
    const result = { exitCode: 1, stdout: '', stderr: 'x509: certificate has expired' };
    assert.equal(faultError('host/x', faultOf(result), result).code, 'REGISTRY_UNREACHABLE');
  });

  test('of a thing that is missing where it must be there is REGISTRY_FAILED', () => {
    const result = { exitCode: 1, stdout: '', stderr: 'not found [http 404]' };
    assert.equal(faultError('host/x', faultOf(result), result).code, 'REGISTRY_FAILED');
  });
});
