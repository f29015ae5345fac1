import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { describeSummary, summarize } from '../../../src/release/notes/summary.ts';
import type { Plan } from '../../../src/release/publish/plan.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const image = (platform: string, letter: string) => ({
  platform,
  digest: digest(letter),
  size: 59_700_000,
  start: { platform, digest: digest(letter), seconds: 1.25, runner: 'docker' },
});
const finding = { kind: 'secret', id: 'x', severity: 'HIGH', title: 'x', target: 'x' } as const;

function plan(vulnerabilities: NonNullable<Plan['made']>['scan']['vulnerabilities']): Plan {
  return {
    schema: 1,
    action: 'publish',
    version: 'v1.0.0',
    registry: 'docker.io',
    repository: 'a/b',
    rehearsal: true,
    index: digest('f'),
    moves: ['v1.0.0', 'latest'].map((tag) => ({ tag, from: null, to: digest('f') })),
    made: {
      source: { revision: 'c0ffee', time: 0 },
      platforms: [image('linux/amd64', 'a'), image('linux/arm64', 'b')],
      scan: {
        scanner: 'trivy 1',
        severity: ['HIGH'],
        licenses: ['forbidden', 'restricted'],
        vulnerabilities,
        platforms: [
          { platform: 'linux/amd64', digest: digest('a'), packages: 9, findings: [] },
          { platform: 'linux/arm64', digest: digest('b'), packages: 9, findings: [finding] },
        ],
      },
      tools: {},
      build: { builder: 'https://builder.example/1', dockerfile: 'Dockerfile' },
      sboms: [],
    },
    signing: { mode: 'rehearsal', fingerprint: 'f'.repeat(64) },
  };
}
const STAGES = new Map([
  ['build', 10.1],
  ['scan', 2.25],
]);

describe('the summary of a release', () => {
  test('has a row a tag and platform, with what was measured of it', () => {
    const summary = summarize(plan({ status: 'not-checked', reason: 'no network' }), STAGES, 12.36);
    assert.deepEqual(
      summary.rows.map(({ tag, platform }) => `${tag} ${platform}`),
      ['v1.0.0 linux/amd64', 'v1.0.0 linux/arm64', 'latest linux/amd64', 'latest linux/arm64'],
    );
    assert.deepEqual(summary.rows[1]?.findings, {
      vulnerability: 'not checked',
      secret: 1,
      misconfiguration: 0,
      license: 0,
    });
    assert.equal(summary.seconds, 12.4);
  });

  test('never gives a number for what was not looked for', () => {
    const text = describeSummary(
      summarize(plan({ status: 'not-checked', reason: 'no network' }), STAGES, 12.36),
    );
    assert.match(text, /vuln\. NOT CHECKED, 1 secret/);
    assert.doesNotMatch(text, /0 vuln/);
    const checked = { status: 'checked', databaseUpdatedAt: '2026-01-01T00:00:00.000Z' } as const;
    assert.match(describeSummary(summarize(plan(checked), STAGES, 12.36)), /0 vuln\., 1 secret/);
    const move = { tag: '1.0.0', from: null, to: `sha256:${'f'.repeat(64)}` };
    const charted = { ...plan(checked), chart: { repository: 'a/b-chart', move } };
    assert.match(
      describeSummary(summarize(charted, STAGES, 12.36)),
      /^index .*\nchart a\/b-chart:1\.0\.0 sha256:f{64}\n/m,
    );
  });
});
