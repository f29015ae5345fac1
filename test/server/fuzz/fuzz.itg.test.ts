import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { countFaults } from '../../count-faults.ts';
import { client } from '../http/client.ts';
import { PROVIDER_KEYS, WholeService } from '../whole-service.ts';
import { fuzz } from './fuzz.ts';

let whole: WholeService;
before(async () => {
  whole = await WholeService.start({ UPSTREAM_RETRIES: '0', BREAKER_FAILURES: '1000' });
});
after(() => whole?.stop());

test('made-up requests meet no bug: no 500, no unknown form of an error, no secret, and it still runs', async (t) => {
  const { passed, cases, text } = await fuzz(whole, {
    cases: 5,
    seed: 1,
    phases: 'examples,coverage,fuzzing',
  });
  assert.ok(passed, text);
  assert.ok(cases > 1000, text);
  const { service } = whole;
  assert.equal(service.process.exitCode, null);
  assert.equal(service.stderr, '');
  const faults = service.lines().filter(({ level }) => level === 'error' || level === 'fatal');
  assert.deepEqual(faults, []);
  countFaults(t, 'A made-up request, with providers that fail', cases, {
    'errors of the service': faults.length,
  });
  for (const secret of Object.values(PROVIDER_KEYS)) assert.equal(service.stdout.includes(secret), false);
  const health = await client((path, init) => fetch(whole.url + path, init)).get('/health');
  assert.equal(health.status, 200);
});
