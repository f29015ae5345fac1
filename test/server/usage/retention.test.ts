import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pino } from 'pino';
import { Store } from '../../../src/server/store/store.ts';
import { UsageReport } from '../../../src/server/usage/report.ts';
import { Retention } from '../../../src/server/usage/retention.ts';
import { UsageTable } from '../../../src/server/usage/usage-table.ts';
import { dataDirectory } from '../data.ts';
import { REQUEST } from './entry-fixture.ts';

const A_DAY = 86_400_000;
const NOW = Date.UTC(2026, 10, 24);

test('requests go after their days, and the sums of their hours after two years', async () => {
  const store = new Store(dataDirectory());
  const table = new UsageTable(store);
  const days = [0, 29.9, 30.1, 31, 730, 732];
  table.add(days.map((day) => ({ ...REQUEST, at: Math.round((NOW - day * A_DAY) * 1000) })));
  // More than is deleted at once.
  table.add(
    Array.from({ length: 2500 }, (_, index) => ({ ...REQUEST, at: (NOW - 100 * A_DAY) * 1000 + index })),
  );
  const retention = new Retention(store, 30, pino({ level: 'silent' }));
  assert.equal(await retention.expire(NOW), 2504 + 1);
  const report = new UsageReport(store);
  assert.equal(report.requests(Number.MAX_SAFE_INTEGER, 10_000).length, 2);
  assert.equal(report.sums({ from: 0, to: NOW + A_DAY }, [])[0]?.requests, 2505);
  assert.equal(await retention.expire(NOW), 0);
});
