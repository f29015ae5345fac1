import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, beforeEach, describe, test } from 'node:test';
import { createGitHub } from '../../../src/release/github/github.ts';
import {
  NOTES_LIMIT,
  type ReleaseFile,
  stepsTo,
  type WantedRelease,
} from '../../../src/release/github/github-release.ts';
import { applySteps, assertTagThere, findRelease } from '../../../src/release/github/github-steps.ts';
import { cutNotes } from '../../../src/release/notes/notes.ts';
import { failure } from '../machine/failure.ts';
import { FakeGitHub, GITHUB_REPOSITORY, GITHUB_TOKEN, READ_TOKEN } from './fake-github.ts';

const COMMIT = 'c'.repeat(40);
const file = (name: string, text: string, record = false): ReleaseFile => ({
  name,
  bytes: Buffer.from(text),
  record,
});
const WANTED: WantedRelease = {
  tag: 'v1.2.0',
  commit: COMMIT,
  notes: '# Thoth v1.2.0\n\nNews.\n',
  prerelease: false,
  latest: true,
  files: [file('plan.json', '{"index":"a"}', true), file('linux-amd64.cdx.json', '{"bom":1}')],
};
const FILES = ['SHA256SUMS', 'linux-amd64.cdx.json', 'plan.json'];

describe('the release on GitHub', () => {
  let server: FakeGitHub;
  let pauses: number[];
  const started: FakeGitHub[] = [];
  beforeEach(async () => {
    server = new FakeGitHub();
    started.push(server);
    server.tags.set('v1.2.0', COMMIT);
    pauses = [];
    await server.start();
  });
  after(() => Promise.all(started.map((one) => one.stop())));

  const open = (token: string | undefined = GITHUB_TOKEN) =>
    createGitHub(
      { address: server.address, repository: GITHUB_REPOSITORY, token },
      { attempts: 3, pause: async (ms) => void pauses.push(ms) },
    );

  /** As the command does it. @returns how many steps there were */
  async function sync(
    wanted = WANTED,
    options: { publish?: boolean; replaceNotes?: boolean } = {},
  ): Promise<number> {
    const github = open();
    const found = await findRelease(github, wanted.tag);
    const steps = stepsTo(wanted, found, { publish: true, replaceNotes: false, ...options });
    await applySteps(github, wanted, found, steps, () => undefined);
    return steps.length;
  }
  const only = () => {
    assert.equal(server.releases.length, 1);
    return server.releases[0] as (typeof server.releases)[number];
  };
  const names = () =>
    only()
      .assets.map((asset) => asset.name)
      .sort();
  const text = (name: string) => String(only().assets.find((asset) => asset.name === name)?.bytes);

  test('is a draft with all its files first, then public, and then nothing is written', async () => {
    await sync(WANTED, { publish: false });
    assert.equal(only().draft, true);
    assert.equal(only().target_commitish, COMMIT);
    assert.deepEqual(names(), FILES);
    assert.equal(server.latest, undefined);
    server.calls.length = 0;
    assert.equal(await sync(WANTED, { publish: false }), 0);
    assert.deepEqual(server.writes, []);

    assert.equal(await sync(), 1);
    assert.deepEqual(server.writes, [`PATCH /repos/${GITHUB_REPOSITORY}/releases/${only().id}`]);
    assert.deepEqual([only().draft, only().body, server.latest], [false, WANTED.notes, 'v1.2.0']);
    server.calls.length = 0;
    assert.equal(await sync(), 0);
    assert.deepEqual(server.writes, []);
  });

  test('has checksums of its files, as sha256sum reads them', async () => {
    await sync();
    const sum = (content: string) => createHash('sha256').update(content).digest('hex');
    assert.equal(
      text('SHA256SUMS'),
      `${sum('{"bom":1}')}  linux-amd64.cdx.json\n${sum('{"index":"a"}')}  plan.json\n`,
    );
  });

  test('a draft takes other notes and other bytes', async () => {
    await sync(WANTED, { publish: false });
    const files = [file('plan.json', '{"index":"b"}', true), file('linux-amd64.cdx.json', '{"bom":2}')];
    await sync({ ...WANTED, notes: 'Other.', files }, { publish: false });
    assert.equal(only().body, 'Other.');
    assert.deepEqual([text('plan.json'), text('linux-amd64.cdx.json')], ['{"index":"b"}', '{"bom":2}']);
    assert.deepEqual(names(), FILES);
  });

  test('what is public keeps its notes and the plan it was released by', async () => {
    await sync();
    only().body = 'Edited by hand.';
    const later = {
      ...WANTED,
      notes: 'Other.',
      files: [file('plan.json', '{}', true), ...WANTED.files.slice(1)],
    };
    assert.equal(await sync(later), 0);
    assert.equal(await sync(later, { replaceNotes: true }), 1);
    assert.deepEqual([only().body, text('plan.json')], ['Other.', '{"index":"a"}']);
  });

  test('what is public and holds other bytes is refused', async () => {
    await sync();
    const files = [...WANTED.files.slice(0, 1), file('linux-amd64.cdx.json', '{"bom":2}')];
    const error = await failure(sync({ ...WANTED, files }));
    assert.equal(error.code, 'GITHUB_ASSET');
    assert.match(error.details.join('\n'), /linux-amd64\.cdx\.json/);
    assert.equal(text('linux-amd64.cdx.json'), '{"bom":1}');
  });

  test('one that a person made public gets its files, and keeps its notes', async () => {
    server.releases.push({
      ...{ id: server.nextId(), tag_name: 'v1.2.0', target_commitish: 'main', name: 'Mine', body: 'My own.' },
      ...{ draft: false, prerelease: false, immutable: false, assets: [] },
    });
    await sync();
    assert.deepEqual(names(), FILES);
    assert.deepEqual([only().body, only().name], ['My own.', 'Mine']);
  });

  test('a file without a digest, as of an old server, is told by its size', async () => {
    await sync();
    for (const asset of only().assets) asset.digest = null;
    assert.equal(await sync(), 0);
  });

  test('a pre-release, and a patch of an old line, are not the latest', async () => {
    await sync({ ...WANTED, latest: false });
    assert.equal(server.latest, undefined);
    server.tags.set('v2.0.0-rc.1', COMMIT);
    await sync({ ...WANTED, tag: 'v2.0.0-rc.1', prerelease: true, latest: false });
    assert.deepEqual([server.releases[1]?.prerelease, server.latest], [true, undefined]);
  });

  test('its steps are whole where releases can not be changed once they are public', async () => {
    server.immutable = true;
    await sync();
    assert.equal(only().immutable, true);
    assert.equal(await sync(), 0);
  });

  test('a draft is found behind a hundred other releases', async () => {
    await sync(WANTED, { publish: false });
    const [draft] = server.releases;
    const others = Array.from({ length: 120 }, (_, n) => ({
      ...(draft as never as object),
      tag_name: `v0.${n}.0`,
      id: 1_000 + n,
    }));
    server.releases = [...(others as typeof server.releases), ...server.releases];
    assert.equal(await sync(WANTED, { publish: false }), 0);
  });

  test('a draft whose answer was lost is not made twice', async () => {
    server.fault = ({ method, url }) => {
      if (method !== 'POST' || !url.pathname.endsWith('/releases')) return undefined;
      server.fault = () => undefined;
      return 'lost';
    };
    await sync();
    assert.deepEqual(names(), FILES);
  });

  for (const kind of ['cut', 'bad gateway', 'lost', 'another run was faster'] as const) {
    test(`an upload that goes wrong is mended: ${kind}`, async () => {
      let left = 2;
      server.fault = (call) => {
        if (!call.url.pathname.startsWith('/uploads') || left === 0) return undefined;
        left -= 1;
        if (kind === 'lost') return 'lost';
        if (kind === 'another run was faster') {
          left = 0;
          return {
            status: 422,
            body: { message: 'Validation Failed', errors: [{ code: 'already_exists' }] },
          };
        }
        server.leaveStarter(call);
        return kind === 'cut' ? 'cut' : { status: 502, body: { message: 'Server Error' } };
      };
      await sync();
      assert.deepEqual(names(), FILES);
      assert.ok(only().assets.every((asset) => asset.state === 'uploaded'));
    });
  }

  test('a run that was killed half way is finished by the next', async () => {
    server.fault = ({ url }) => (url.searchParams.get('name') === 'SHA256SUMS' ? 'cut' : undefined);
    const error = await failure(sync());
    assert.equal(error.code, 'GITHUB_UNREACHABLE');
    assert.equal(only().draft, true);
    server.fault = () => undefined;
    assert.equal(await sync(), 2);
    assert.deepEqual([names(), only().draft], [FILES, false]);
  });

  test('rate limits are waited out, the primary and the secondary', async () => {
    const reset = String(Math.ceil(Date.now() / 1_000) + 40);
    server.failNext(
      {
        status: 403,
        headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
        body: { message: 'API rate limit exceeded' },
      },
      {
        status: 403,
        headers: { 'retry-after': '9' },
        body: { message: 'You have exceeded a secondary rate limit.' },
      },
    );
    await sync();
    assert.ok((pauses[0] ?? 0) > 30_000 && (pauses[0] ?? 0) <= 41_000, String(pauses));
    assert.equal(pauses[1], 9_000);
  });

  test('the git tag must be there, on the commit that was released', async () => {
    await assertTagThere(open(), 'v1.2.0', COMMIT);
    server.annotated.set('v1.2.0', 'b'.repeat(40));
    await assertTagThere(open(), 'v1.2.0', COMMIT);
    assert.equal((await failure(assertTagThere(open(), 'v9.0.0', COMMIT))).code, 'GITHUB_TAG');
    const error = await failure(assertTagThere(open(), 'v1.2.0', 'd'.repeat(40)));
    assert.match(error.message, /another commit/);
  });

  const DENIED: readonly (readonly [string, string, RegExp])[] = [
    ['a wrong token', 'wrong-token', /does not know the token/],
    ['a token that may only read', READ_TOKEN, /does not let this token write/],
  ];
  for (const [name, token, message] of DENIED) {
    test(`${name} is refused, and not shown`, async () => {
      const work = applySteps(open(token), WANTED, undefined, [{ kind: 'create' }], () => undefined);
      const error = await failure(work);
      assert.equal(error.code, 'GITHUB_DENIED');
      assert.match(error.message, message);
      assert.doesNotMatch(JSON.stringify(error), /wrong-token|ghs_/);
    });
  }
});

describe('notes that are too long', () => {
  const paragraph = `${'word '.repeat(40).trim()}\n\n`;
  const REST = 'https://github.com/x/y/releases/download/v1/notes.md';

  test('are cut at a paragraph, and say where the rest is', () => {
    const notes = `# Title\n\n${paragraph.repeat(1_000)}`;
    const cut = cutNotes(notes, NOTES_LIMIT, REST);
    assert.ok(cut.length <= NOTES_LIMIT && cut.length > NOTES_LIMIT - 500, String(cut.length));
    assert.ok(cut.includes(`word\n\n**These notes are cut off. [All of them](${REST}).**`));
    assert.equal(cutNotes(cut, NOTES_LIMIT, REST), cut);
  });

  test('leave no code block open, and no half of an emoji', () => {
    const cut = cutNotes(`# Title\n\n\`\`\`sh\n${'echo one line\n'.repeat(300)}\`\`\`\n`, 1_000, REST);
    assert.equal((cut.match(/^```/gm) ?? []).length, 2);
    assert.ok(cut.length <= 1_000);
    const half = /[\ud800-\udbff](?![\udc00-\udfff])/;
    for (let limit = 200; limit < 204; limit += 1)
      assert.doesNotMatch(cutNotes('😀'.repeat(500), limit, REST), half);
  });

  test('are left alone where they fit', () => {
    assert.equal(cutNotes(paragraph, paragraph.length, REST), paragraph);
  });
});
