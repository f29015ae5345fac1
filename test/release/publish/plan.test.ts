import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { z } from 'zod';
import { type ErrorCode, ReleaseError } from '../../../src/release/errors.ts';
import type { Layout } from '../../../src/release/image/layout.ts';
import {
  describePlan,
  formatPlan,
  movesTo,
  Plan,
  parsePlan,
  planRelease,
  remainingMoves,
} from '../../../src/release/publish/plan.ts';
import { parseVersion } from '../../../src/release/versions/version.ts';

const digest = (letter: string) => `sha256:${letter.repeat(64)}`;
const [A, B, C] = [digest('a'), digest('b'), digest('c')];
const coded =
  (code: ErrorCode, text = '') =>
  (error: unknown) =>
    error instanceof ReleaseError &&
    error.code === code &&
    [error.message, ...error.details].join('\n').includes(text);

const IMAGES = [
  { platform: 'linux/amd64', digest: digest('1'), size: 60_000_000 },
  { platform: 'linux/arm64', digest: digest('2'), size: 59_000_000 },
];

function layoutOf(revision: string): Layout {
  const annotations = { 'org.opencontainers.image.revision': revision };
  return { index: { digest: B }, platforms: IMAGES, annotations } as unknown as Layout;
}

type Input = Parameters<typeof planRelease>[0];
/** Evidence that every gate is passed, and what a case puts in its place. */
function input(changes: Partial<Input> = {}): Input {
  return {
    version: parseVersion('v1.0.1'),
    target: { registry: 'docker.io', repository: 'a/b' },
    rehearsal: false,
    source: { revision: 'c0ffee', time: 1_700_000_000 },
    layout: layoutOf('c0ffee'),
    starts: IMAGES.map(({ platform, digest }) => ({ platform, digest, seconds: 1, runner: 'docker' })),
    scan: {
      scanner: 'trivy 0.74.0',
      severity: ['HIGH'],
      licenses: ['forbidden', 'restricted'],
      vulnerabilities: { status: 'checked', databaseUpdatedAt: '2026-01-01T00:00:00.000Z' },
      platforms: IMAGES.map(({ platform, digest }) => ({ platform, digest, packages: 9, findings: [] })),
    },
    tags: ['v1.0.1', 'v1.0', 'latest'],
    current: new Map([
      ['v1.0', A],
      ['latest', A],
    ]),
    tools: {},
    build: { builder: 'https://builder.example/1', dockerfile: 'Dockerfile' },
    sboms: IMAGES.map(({ platform }) => ({ platform, cyclonedx: 'c'.repeat(64), spdx: 'd'.repeat(64) })),
    signing: { mode: 'key', fingerprint: 'f'.repeat(64) },
    ...changes,
  };
}

describe('a plan', () => {
  test('says each move, the digests, and that they were started and scanned', () => {
    const plan = planRelease(input());
    assert.deepEqual(plan.moves, [
      { tag: 'v1.0.1', from: null, to: B },
      { tag: 'v1.0', from: A, to: B },
      { tag: 'latest', from: A, to: B },
    ]);
    assert.deepEqual(
      plan.made?.platforms.map(({ digest, start }) => digest === start.digest),
      [true, true],
    );
    assert.deepEqual(parsePlan(formatPlan(plan), 'plan.json'), plan);
    const text = describePlan(plan);
    assert.match(text, /v1\.0\.1 +absent -> sha256:bbbbbbbbbbbb\n +v1\.0 +sha256:aaaaaaaaaaaa -> sha256:b/);
  });

  test('keeps what it was made from, as the provenance will state it', () => {
    const base = { images: { NODE_IMAGE: `n@${A}`, RUNTIME_IMAGE: `r@${A}` }, standIn: false };
    const url = 'https://example.test/thoth';
    const source = { revision: 'c0ffee', time: 1_700_000_000, url };
    const { made } = planRelease(input({ base, source, tools: { builder: 'buildah 1.28' } }));
    assert.deepEqual(made?.base, base);
    assert.deepEqual(made?.source, source);
    assert.deepEqual(made?.tools, { builder: 'buildah 1.28' });
    assert.deepEqual(made?.sboms, input().sboms);
    assert.deepEqual(planRelease(input({ signing: { mode: 'none' } })).made?.sboms, []);
  });

  test('is told to people with the commit, each platform, the scan, and a stand-in where there is one', () => {
    const base = { images: { NODE_IMAGE: 'n' }, standIn: true };
    const lines = describePlan(planRelease(input({ base, rehearsal: true }))).split('\n');
    assert.equal(lines[0], 'publish v1.0.1 in docker.io/a/b (rehearsal)');
    for (const line of [
      `  index        ${B}`,
      '  commit       c0ffee',
      `  linux/amd64  ${digest('1')}`,
      `  linux/arm64  ${digest('2')}`,
      '  base         A STAND-IN, not the real base image',
      '  v1.0    sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb',
      '  v1.0.1  absent -> sha256:bbbbbbbbbbbb',
      '  latest  sha256:aaaaaaaaaaaa -> sha256:bbbbbbbbbbbb',
    ])
      assert.ok(lines.includes(line), `${line}\n${lines.join('\n')}`);
    assert.ok(lines.some((line) => line.startsWith('  scan         vulnerabilities: 0 in 9 packages')));
    assert.doesNotMatch(describePlan(planRelease(input())), /STAND-IN|rehearsal|chart/);
    const real = describePlan(planRelease(input({ base: { ...base, standIn: false } })));
    assert.equal(real.split('\n').length, lines.length - 1);
  });

  const CHARTS: readonly [string, string | null, string][] = [
    ['is new', null, 'absent -> sha256:cccccccccccc'],
    ['has moved on', A, 'sha256:aaaaaaaaaaaa -> sha256:cccccccccccc'],
    ['is in place', C, 'stays at sha256:cccccccccccc'],
  ];
  for (const [name, from, told] of CHARTS) {
    test(`with a chart that ${name} keeps and tells it, and its manifests`, () => {
      const chart = { repository: 'a/b-chart', move: { tag: '1.0.1', from, to: C } };
      const manifests = 'e'.repeat(64);
      const plan = planRelease(input({ chart, manifests }));
      assert.deepEqual(parsePlan(formatPlan(plan), 'plan.json'), plan);
      assert.deepEqual([plan.chart, plan.manifests], [chart, manifests]);
      assert.ok(describePlan(plan).includes(`\n  chart docker.io/a/b-chart:1.0.1  ${told}\n`));
    });
  }

  test('of a rollback has nothing that was built, and nobody who signs', () => {
    const { made: _made, signing: _signing, ...moved } = planRelease(input());
    const rollback = { ...moved, action: 'rollback' as const };
    assert.deepEqual(parsePlan(JSON.stringify(rollback), 'plan.json'), rollback);
    assert.doesNotMatch(describePlan(rollback), /commit|scan|signed by|Stryker/);
  });

  test('of a release that nobody signs need not say how it was made', () => {
    const { made: _made, ...plan } = planRelease(input({ signing: { mode: 'none' } }));
    assert.equal(parsePlan(JSON.stringify(plan), 'plan.json').made, undefined);
  });

  test('of which every tag is in place says so', () => {
    const current = new Map(['v1.0.1', 'v1.0', 'latest'].map((tag) => [tag, B] as const));
    assert.match(describePlan(planRelease(input({ current }))), /latest +stays at sha256:b/);
  });

  const { scan, starts } = input();
  const finding = { kind: 'secret', id: 'private-key', severity: 'HIGH', title: 'x', target: 'x' } as const;
  const REFUSED: readonly [string, Partial<Input>, ErrorCode, string][] = [
    [
      'a platform not started',
      { starts: starts.slice(1) },
      'PLAN_INVALID',
      'linux/amd64 can not be released: it was not started.',
    ],
    [
      'a platform started from other bytes',
      { starts: starts.map((start) => ({ ...start, digest: C })) },
      'PLAN_INVALID',
      `what was started is ${C}, and the layout holds ${digest('1')}`,
    ],
    [
      'a platform not scanned',
      { scan: { ...scan, platforms: scan.platforms.slice(0, 1) } },
      'PLAN_INVALID',
      'arm64',
    ],
    [
      'a platform scanned in other bytes',
      { scan: { ...scan, platforms: scan.platforms.map((entry) => ({ ...entry, digest: C })) } },
      'PLAN_INVALID',
      C,
    ],
    [
      'a finding that stops a release',
      { scan: { ...scan, platforms: scan.platforms.map((entry) => ({ ...entry, findings: [finding] })) } },
      'SCAN_GATE',
      'private-key',
    ],
    [
      'vulnerabilities that were not looked for',
      { scan: { ...scan, vulnerabilities: { status: 'not-checked', reason: 'no network' } } },
      'SCAN_DATA',
      'no network',
    ],
    ['a layout of another commit', { layout: layoutOf('badcafe') }, 'PLAN_INVALID', 'badcafe'],
    [
      'a platform without SBOM, where it is signed',
      { sboms: input().sboms.slice(1) },
      'PLAN_INVALID',
      'amd64',
    ],
    ['a released version of other content', { current: new Map([['v1.0.1', A]]) }, 'TAG_IMMUTABLE', A],
  ];
  for (const [name, changes, code, text] of REFUSED) {
    test(`is refused for ${name}: ${code}`, () => {
      assert.throws(() => planRelease(input(changes)), coded(code, text));
    });
  }

  test('of a rehearsal may go without vulnerability data', () => {
    const unchecked = { ...scan, vulnerabilities: { status: 'not-checked', reason: 'no network' } as const };
    assert.equal(planRelease(input({ scan: unchecked, rehearsal: true })).rehearsal, true);
  });

  test('says who signs, and needs no SBOM where nobody does', () => {
    assert.match(describePlan(planRelease(input())), /signed by +the key ffff/);
    const unsigned = planRelease(input({ signing: { mode: 'none' }, sboms: [] }));
    assert.match(describePlan(unsigned), /signed by +NOBODY/);
    assert.deepEqual(unsigned.made?.sboms, []);
  });

  test('moves no exact tag, and any other', () => {
    assert.throws(() => movesTo(B, ['v1.0.0'], new Map([['v1.0.0', A]])), coded('TAG_IMMUTABLE'));
    assert.equal(movesTo(B, ['v1'], new Map([['v1', A]])).length, 1);
  });

  const STATES: readonly [string, Record<string, string | undefined>, readonly string[] | 'stale'][] = [
    ['as it was planned', { 'v1.0': A, latest: A }, ['v1.0.1', 'v1.0', 'latest']],
    ['half done', { 'v1.0.1': B, 'v1.0': B, latest: A }, ['latest']],
    ['done', { 'v1.0.1': B, 'v1.0': B, latest: B }, []],
    ['changed by somebody else', { 'v1.0': A, latest: C }, 'stale'],
    ['with a tag gone', { 'v1.0': undefined, latest: A }, 'stale'],
    ['with the version released by somebody else', { 'v1.0.1': C, 'v1.0': A, latest: A }, 'stale'],
  ];
  for (const [name, current, left] of STATES) {
    test(`meets a registry ${name}`, () => {
      const remaining = () => remainingMoves(planRelease(input()), new Map(Object.entries(current)));
      if (left === 'stale') assert.throws(remaining, coded('PLAN_STALE', ': planned from '));
      else
        assert.deepEqual(
          remaining().map((move) => move.tag),
          left,
        );
    });
  }

  const elsewhere = planRelease(input()).moves.map((move) => ({ ...move, to: C }));
  const MALFORMED: readonly [string, string, string?][] = [
    ['no JSON', 'plan', 'it is not JSON'],
    [
      'a tag moved to another image',
      JSON.stringify({
        ...planRelease(input()),
        moves: [...planRelease(input()).moves.slice(1), ...elsewhere.slice(0, 1)],
      }),
      'a tag is moved to another image than the one that is released',
    ],
    [
      'a base image that it does not know',
      JSON.stringify({
        ...planRelease(input()),
        made: { ...planRelease(input()).made, base: { node: 'n', runtime: 'r' } },
      }),
      'standIn',
    ],
    ['another version of the form', JSON.stringify({ ...planRelease(input()), schema: 2 })],
    [
      'a chart of more than it knows',
      JSON.stringify({ ...planRelease(input()), chart: { repository: 'a/b-chart' } }),
    ],
    ['a field it does not know', JSON.stringify({ ...planRelease(input()), force: true })],
    ['a digest that is none', JSON.stringify({ ...planRelease(input()), index: 'sha256:../../x' })],
    [
      'nobody who signs',
      JSON.stringify({ ...planRelease(input()), signing: undefined }),
      'it does not say who signs the release\n  → at signing',
    ],
    [
      "a rehearsal's key on a real release",
      JSON.stringify(planRelease(input({ signing: { mode: 'rehearsal', fingerprint: 'f'.repeat(64) } }))),
      "it signs a real release with a rehearsal's key",
    ],
    [
      'signatures on what it does not know',
      JSON.stringify({ ...planRelease(input()), made: undefined }),
      'it does not say how what is to be signed was made',
    ],
    ['no moves', JSON.stringify({ ...planRelease(input()), moves: [] })],
  ];
  for (const [name, text, why = ''] of MALFORMED) {
    test(`with ${name} is refused`, () => {
      assert.throws(() => parsePlan(text, 'plan.json'), coded('PLAN_INVALID', 'plan.json'));
      assert.throws(() => parsePlan(text, 'plan.json'), coded('PLAN_INVALID', why));
    });
  }

  test('has a JSON Schema', () => {
    const schema = z.toJSONSchema(Plan) as { required: string[] };
    assert.ok(schema.required.includes('moves'));
  });
});
