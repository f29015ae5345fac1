import assert from 'node:assert/strict';
import { after, beforeEach, describe, test } from 'node:test';
import { createGitHub } from '../../../src/release/github/github.ts';
import { syncIssue, type WantedIssue } from '../../../src/release/github/github-issue.ts';
import { followedTags, issueOf, type RescannedImage } from '../../../src/release/github/rescan.ts';
import type { Finding } from '../../../src/release/scan/finding.ts';
import { FakeGitHub, type FakeIssue, GITHUB_REPOSITORY, GITHUB_TOKEN } from './fake-github.ts';

const finding = (id: string, over: Partial<Finding> = {}): Finding => ({
  ...{
    kind: 'vulnerability',
    id,
    severity: 'HIGH',
    title: id,
    target: 'openssl 3.0.1',
    fixedIn: '3.0.2',
    ...over,
  },
});
/** An image with the same findings on both platforms. */
const image = (version: string, tags: string[], ...findings: Finding[]): RescannedImage => ({
  version,
  tags,
  digest: `sha256:${version}`,
  report: {
    scanner: 'trivy 1',
    severity: ['HIGH', 'CRITICAL'],
    licenses: ['forbidden', 'restricted'],
    vulnerabilities: { status: 'checked', databaseUpdatedAt: '2026-01-01T00:00:00Z' },
    platforms: ['linux/amd64', 'linux/arm64'].map((platform) => ({
      platform,
      digest: 'x',
      packages: 1,
      findings,
    })),
  },
});
const NAME = 'docker.io/marcopancotti/thoth';

const issueOn = (...images: RescannedImage[]) => issueOf({ repository: NAME, images });

describe('what is scanned again', () => {
  test('is what latest and the major tags point to', () => {
    const tags = ['v2', 'v1.2', 'v1.2.0', 'latest', 'v1', 'next', 'v1.3.0-rc.1', 'sha256-0.sig'];
    assert.deepEqual(followedTags(tags), ['latest', 'v1', 'v2']);
  });
});

describe('the issue', () => {
  test('has a row a finding that would stop a release, the worst first, with its platforms', () => {
    const critical = finding('CVE-2', { severity: 'CRITICAL', target: 'a|b `c` 1' });
    const unfixed = finding('CVE-3', { fixedIn: undefined as never });
    const low = finding('CVE-4', { severity: 'LOW' });
    const wanted = issueOn(
      image('v2.0.0', ['latest', 'v2'], finding('CVE-1'), critical, unfixed, low),
      image('v1.9.0', ['v1']),
    );
    assert.deepEqual(wanted?.rows, [
      "| v2.0.0 | CRITICAL | `CVE-2` | `a\\|b 'c' 1` | `3.0.2` | linux/amd64, linux/arm64 |",
      '| v2.0.0 | HIGH | `CVE-1` | `openssl 3.0.1` | `3.0.2` | linux/amd64, linux/arm64 |',
    ]);
    assert.match(wanted?.body ?? '', /v2\.0\.0, pulled as latest, v2: `sha256:v2\.0\.0`/);
    assert.doesNotMatch(wanted?.body ?? '', /v1\.9\.0/);
  });

  test('is none where nothing would stop a release', () => {
    assert.equal(issueOn(image('v1.0.0', ['latest'], finding('CVE-3', { severity: 'LOW' }))), undefined);
  });

  test('fits, however many there are', () => {
    const many = Array.from({ length: 3_000 }, (_, n) => finding(`CVE-${n}`, { target: 'p'.repeat(200) }));
    const wanted = issueOn(image('v1.0.0', ['latest'], ...many));
    assert.ok((wanted?.body.length ?? 0) < 60_000, String(wanted?.body.length));
    assert.match(wanted?.body ?? '', /And 2800 more/);
  });
});

describe('one issue on GitHub', () => {
  let server: FakeGitHub;
  const started: FakeGitHub[] = [];
  beforeEach(async () => {
    server = new FakeGitHub();
    started.push(server);
    await server.start();
  });
  after(() => Promise.all(started.map((one) => one.stop())));

  const sync = (wanted: WantedIssue | undefined, dryRun = false) =>
    syncIssue(
      createGitHub({ address: server.address, repository: GITHUB_REPOSITORY, token: GITHUB_TOKEN }),
      'rescan',
      wanted,
      { dryRun },
    );
  const wantedOf = (...ids: string[]) =>
    issueOn(image('v1.0.0', ['latest'], ...ids.map((id) => finding(id))));

  test('is opened, left alone, updated with a comment, closed, and opened anew', async () => {
    assert.equal((await sync(undefined)).done, 'nothing');
    assert.equal((await sync(wantedOf('CVE-1'))).done, 'opened');
    const [issue] = server.issues as [FakeIssue];
    server.calls.length = 0;
    issue.body = issue.body?.replaceAll('\n', '\r\n') ?? null;
    assert.equal((await sync(wantedOf('CVE-1'))).done, 'nothing');
    assert.deepEqual(server.writes, []);

    assert.equal((await sync(wantedOf('CVE-1', 'CVE-2'))).done, 'updated');
    assert.match(issue.body ?? '', /CVE-2/);
    assert.equal(issue.comments.length, 1);
    assert.match(issue.comments[0] ?? '', /New since the last scan:[\s\S]*CVE-2/);
    assert.doesNotMatch(issue.comments[0] ?? '', /CVE-1/);

    assert.equal((await sync(wantedOf('CVE-2'))).done, 'updated');
    assert.equal(issue.comments.length, 1);
    assert.equal((await sync(undefined)).done, 'closed');
    assert.deepEqual([issue.state, issue.state_reason], ['closed', 'completed']);
    assert.equal((await sync(wantedOf('CVE-3'))).done, 'opened');
    assert.equal(server.issues.length, 2);
  });

  test('is only told of in a dry run', async () => {
    assert.equal((await sync(wantedOf('CVE-1'), true)).done, 'opened');
    await sync(wantedOf('CVE-1'));
    server.calls.length = 0;
    assert.equal((await sync(wantedOf('CVE-2'), true)).done, 'updated');
    assert.equal((await sync(undefined, true)).done, 'closed');
    assert.deepEqual(server.writes, []);
  });

  test('is not the one a stranger wrote the mark into, nor a pull request, and is found among many', async () => {
    const body = '<!-- thoth-release: rescan -->\nAll is well.';
    const other = { title: 'x', state: 'open', state_reason: null, comments: [], author_association: 'NONE' };
    const stranger = { ...other, number: 9_001, body, user: { type: 'User' } };
    const request = { ...other, number: 9_002, body, user: { type: 'Bot' }, pull_request: {} };
    await sync(wantedOf('CVE-1'));
    const noise = Array.from({ length: 150 }, (_, n) => ({
      ...other,
      number: 10_000 + n,
      body: null,
      user: { type: 'User' },
    }));
    server.issues = [stranger, request, ...noise, ...server.issues];
    assert.equal((await sync(wantedOf('CVE-1'))).done, 'nothing');
    assert.equal((await sync(undefined)).done, 'closed');
    assert.equal(stranger.state, 'open');
  });

  test('may be by a maintainer', async () => {
    await sync(wantedOf('CVE-1'));
    Object.assign(server.issues[0] as FakeIssue, { user: { type: 'User' }, author_association: 'MEMBER' });
    assert.equal((await sync(undefined)).done, 'closed');
  });
});
