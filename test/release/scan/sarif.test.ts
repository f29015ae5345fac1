import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mergeSarif } from '../../../src/release/scan/sarif.ts';

const log = (...runs: unknown[]) => JSON.stringify({ version: '2.1.0', runs });

test('runs keep their order and content, and say what they are about', () => {
  const merged = JSON.parse(
    mergeSarif([
      ['linux/amd64', log({ tool: { driver: { name: 'a' } }, results: [1] }, { tool: 2 })],
      ['Dockerfile', log({ tool: 3, automationDetails: { id: 'its own', guid: 'x' } })],
    ]),
  );
  assert.equal(merged.version, '2.1.0');
  assert.deepEqual(merged.runs, [
    { tool: { driver: { name: 'a' } }, results: [1], automationDetails: { id: 'linux/amd64/' } },
    { tool: 2, automationDetails: { id: 'linux/amd64/' } },
    { tool: 3, automationDetails: { id: 'Dockerfile/' } },
  ]);
});

test('nothing to merge is a log without runs, and what is no log is refused', () => {
  assert.deepEqual(JSON.parse(mergeSarif([])).runs, []);
  assert.throws(() => mergeSarif([['x', '{"version":"1.0.0","runs":[]}']]));
});
