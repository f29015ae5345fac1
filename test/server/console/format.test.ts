import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  atHour,
  brief,
  count,
  dollars,
  duration,
  onDate,
  onDay,
  percent,
  relative,
} from '../../../src/server/console/page/format.ts';

const NOW = Date.UTC(2026, 10, 24, 18, 5);
const MINUTE = 60_000;

const cases: Readonly<Record<string, readonly [string, string][]>> = {
  count: [
    [count(0), '0'],
    [count(1234), '1,234'],
    [count(999_999), '999,999'],
    [count(1_234_567), '1.23M'],
  ],
  brief: [
    [brief(950), '950'],
    [brief(515_826), '516K'],
  ],
  dollars: [
    [dollars(0), '$0'],
    [dollars(12.3), '$12.30'],
    [dollars(9999.999), '$10,000.00'],
    [dollars(12_345), '$12.3K'],
    [dollars(0.5), '$0.50'],
    [dollars(0.00042), '$0.00042'],
    [dollars(0.000000001), '$0.000000001'],
  ],
  percent: [
    [percent(0, 0), '0 %'],
    [percent(1, 10_000), '< 0.1 %'],
    [percent(4, 1000), '0.4 %'],
    [percent(1, 3), '33 %'],
  ],
  duration: [
    [duration(0.4), '0 ms'],
    [duration(840), '840 ms'],
    [duration(1234), '1.2 s'],
  ],
  'times, in UTC': [
    [onDate(NOW), 'Nov 24, 2026'],
    [onDay(NOW), 'Nov 24'],
    [atHour(Date.UTC(2026, 0, 1)), '00:00'],
  ],
  'how long ago': [
    [relative(NOW - 20_000, NOW), 'just now'],
    [relative(NOW - MINUTE, NOW), '1 minute ago'],
    [relative(NOW - 90 * MINUTE, NOW), '1 hour ago'],
    [relative(NOW - 72 * 60 * MINUTE, NOW), '3 days ago'],
  ],
};

for (const [name, table] of Object.entries(cases)) {
  describe(name, () => {
    for (const [found, expected] of table) test(expected, () => assert.equal(found, expected));
  });
}
