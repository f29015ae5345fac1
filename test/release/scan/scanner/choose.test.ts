import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { chooseScanners, openTrivy, prepareScanners } from '../../../../src/release/scan/scanner/choose.ts';
import { failure } from '../../machine/failure.ts';
import { withPrograms } from '../../machine/fake-programs.ts';

const HOME = '/nowhere/.thoth';
/** A Trivy that has a database of long ago, and can't get another. */
const trivy = `case $1 in
  version) echo '{"Version":"0.1","VulnerabilityDB":{"UpdatedAt":"2020-01-01T00:00:00Z"}}' ;;
  *) echo 'dial tcp: no such host' >&2; exit 1 ;;
esac`;
const docker = 'echo "version: v1.2.3"';

const choices: readonly (readonly [
  'trivy' | 'scout' | 'both',
  readonly string[],
  readonly (string | undefined)[],
])[] = [
  ['trivy', ['trivy 0.1'], ['not-checked']],
  ['scout', ['trivy 0.1', 'docker scout 1.2.3'], [undefined, 'checked']],
  ['both', ['trivy 0.1', 'docker scout 1.2.3'], ['not-checked', 'checked']],
];
for (const [scanner, names, looked] of choices) {
  test(`${scanner}: ${names.join(' and ')}`, async () => {
    await withPrograms({ trivy, docker, mkdir: '/bin/mkdir "$@"' }, async (dir) => {
      const signal = new AbortController().signal;
      const opened = { ...(await openTrivy({ home: HOME }, signal)), cache: join(dir, 'cache') };
      const chosen = await chooseScanners({ home: HOME, scanner }, opened);
      const ready = await prepareScanners(chosen, new Date(), () => undefined);
      assert.deepEqual(
        ready.map(({ name }) => name),
        names,
      );
      assert.deepEqual(
        ready.map(({ vulnerabilities }) => vulnerabilities?.status),
        looked,
      );
    });
  });
}

test('a scanner that is not there is an error that says so, before anything is scanned', async () => {
  await withPrograms({ trivy }, async () => {
    const opened = await openTrivy({ home: HOME }, new AbortController().signal);
    const error = await failure(chooseScanners({ home: HOME, scanner: 'both' }, opened));
    assert.equal(error.code, 'TOOL_MISSING');
    assert.match(error.message, /"docker"/);
  });
  await withPrograms({ docker }, async () => {
    const error = await failure(openTrivy({ home: HOME }, new AbortController().signal));
    assert.match(error.message, /"trivy"/);
  });
});
