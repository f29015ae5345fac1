import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, test } from 'node:test';
import { z } from 'zod';
import { readJournal } from '../../../src/release/publish/journal.ts';
import { MEDIA } from '../image/layout-fixture.ts';
import { type Bench, openBench } from '../publish/release-fixture.ts';
import { FaultProxy } from '../registry/proxy.ts';
import { PASSWORD } from '../registry/registry-server.ts';
import { encoded, type Outcome, Workshop } from '../registry/registry-workshop.ts';

let shop: Workshop;
let bench: Bench;
let proxy: FaultProxy;
let host: string;
before(async () => {
  // Larger, compressed, than the disks below.
  shop = await Workshop.open({ layers: [{ 'app/noise': randomBytes(200_000) }] });
  bench = await openBench();
  proxy = new FaultProxy(bench.embedded.host);
  host = await proxy.start();
});
after(async () => {
  await proxy.stop();
  await bench.close();
  await shop.close();
});
beforeEach(() => {
  proxy.seen = [];
});

let repositories = 0;
/** Publishes to a repository of its own. */
async function publish(
  edit: (plan: string) => string | Promise<string> = (plan) => plan,
  beside?: (plan: string) => Promise<unknown>,
): Promise<Outcome> {
  repositories += 1;
  const THOTH_REPOSITORY = `repository-${repositories}`;
  const path = await shop.plan(host, THOTH_REPOSITORY);
  await writeFile(path, await edit(await readFile(path, 'utf8')));
  await beside?.(path);
  return shop.publish(host, { THOTH_REPOSITORY }, path);
}

describe('a plan that is not one', () => {
  const Json = z.record(z.string(), z.unknown());
  const change = (fields: Record<string, unknown>) => (plan: string) =>
    JSON.stringify({ ...Json.parse(JSON.parse(plan)), ...fields });
  const other = `sha256:${'0'.repeat(64)}`;
  const move = (fields: Record<string, unknown>) => (plan: string) => {
    const { index } = Json.parse(JSON.parse(plan));
    return change({ moves: [{ tag: 'v1.0.0', from: null, to: index, ...fields }] })(plan);
  };

  const PLANS: readonly (readonly [string, (plan: string) => string, RegExp])[] = [
    ['is empty', () => '', /not JSON/],
    ['is cut off', (plan) => plan.slice(0, -20), /not JSON/],
    ['is something else', () => '[]', /expected object/],
    ['is of a later schema', change({ schema: 2 }), /schema/],
    ['lacks its digest', change({ index: undefined }), /index/],
    ['has a digest that is none', change({ index: 'sha256:12' }), /index/],
    ['has a field that nobody knows', change({ force: true }), /force/],
    ['moves nothing', change({ moves: [] }), /moves/],
    ['moves what is no tag', move({ tag: 'v1.0.0@sha256:1' }), /tag/],
    ['moves a tag to another image', move({ to: other }), /another image/],
    ['is for another version', change({ version: 'v1.0.1' }), /v1\.0\.1/],
    ['is for another repository', change({ repository: 'somebody/else' }), /somebody\/else/],
    ['is for another registry', change({ registry: 'registry.example.test' }), /registry\.example\.test/],
  ];
  for (const [what, edit, says] of PLANS) {
    test(`that ${what} is refused, and the registry is not asked`, async () => {
      const { exitCode, error, printed } = await publish(edit);
      assert.deepEqual([exitCode, error?.code], [2, 'PLAN_INVALID'], printed);
      assert.match([error?.message, ...(error?.details ?? [])].join('\n'), says);
      assert.deepEqual(proxy.seen, []);
    });
  }

  test('that is a folder, or is not there, is refused', async () => {
    for (const path of [shop.dir, join(shop.dir, 'nowhere.json')]) {
      const { exitCode, error, printed } = await shop.publish(host, {}, path);
      assert.deepEqual([exitCode, error?.code], [2, 'PLAN_INVALID'], printed);
    }
  });

  test('for an image that the layout does not hold is refused before anything is written', async () => {
    const { exitCode, error, printed } = await publish((plan) =>
      plan.replaceAll(shop.layout.index.digest, other),
    );
    assert.deepEqual([exitCode, error?.code], [2, 'PLAN_INVALID'], printed);
    assert.deepEqual(proxy.writes, []);
  });
});

describe('a journal that is not one', () => {
  const line = (fields: Record<string, unknown> = {}) =>
    JSON.stringify({ at: '2026-01-02T03:04:05.000Z', event: 'plan', plan: '0'.repeat(64), ...fields });
  const journalOf = (plan: string) => join(dirname(plan), 'journal.jsonl');

  const LINES: readonly (readonly [string, string])[] = [
    ['no JSON', 'released!'],
    ['nothing', ''],
    ['a line that is cut off', line().slice(0, -9)],
    ['an event that nobody knows', line({ event: 'undone' })],
    ['no time', line({ at: 'yesterday' })],
    ['no plan', line({ plan: undefined })],
    ['bytes that are no text', '\u0000\u0001'],
  ];
  for (const [what, bad] of LINES) {
    test(`${what} in its second line of three is refused by number, and the registry is not asked`, async () => {
      const text = `${[line(), bad, line()].join('\n')}\n`;
      let journal = '';
      const { exitCode, error, printed } = await publish(undefined, (plan) => {
        journal = journalOf(plan);
        return writeFile(journal, text);
      });
      assert.deepEqual([exitCode, error?.code], [2, 'JOURNAL_INVALID'], printed);
      assert.match(error?.message ?? '', /^Line 2 of .*journal\.jsonl/);
      assert.equal(await readFile(journal, 'utf8'), text);
      assert.deepEqual(proxy.writes, []);
    });
  }

  test('but whose last line was cut off, by a power cut: it goes on', async () => {
    let journal = '';
    const { exitCode, printed } = await publish(undefined, (plan) => {
      journal = journalOf(plan);
      return writeFile(journal, `${line()}\n${line().slice(0, 30)}`);
    });
    assert.equal(exitCode, 0, printed);
    const entries = await readJournal(journal);
    assert.deepEqual([entries[0]?.plan, entries.at(-1)?.event], ['0'.repeat(64), 'end']);
  });
});

/**
 * A full disk is a small one of memory, which only the command sees and which goes with it: its mount is in a
 * namespace of its own.
 */
describe('a disk that is full', () => {
  const within = (folder: string, more = ':') => [
    ...['unshare', '--mount', ...(process.getuid?.() === 0 ? [] : ['--map-root-user']), 'sh', '-c'],
    `mount -t tmpfs -o size=64k tmpfs "$1" && ${more} && shift && exec "$@"`,
    ...['sh', folder],
  ];

  test('where the image is read back: no tag is moved, and the next run goes on', async () => {
    const env = { THOTH_REPOSITORY: 'scratch', THOTH_HOME: await shop.folder('home') };
    const plan = await shop.plan(host, env.THOTH_REPOSITORY);
    const scratch = join(env.THOTH_HOME, 'scratch');
    await mkdir(scratch);
    const full = await shop.publish(host, env, plan, within(scratch));
    assert.deepEqual([full.exitCode, full.error?.code], [2, 'DISK'], full.printed);
    assert.match(full.error?.details.join() ?? '', /no space left on device/);
    const reads = proxy.seen.filter(({ method, path }) => method === 'GET' && path.includes('/blobs/'));
    const paths = reads.map(({ path }) => path);
    assert.deepEqual([...new Set(paths)], paths, 'a blob was asked for again');
    assert.deepEqual(
      proxy.writes.filter(({ path }) => /\/manifests\/(?!sha256:)/.test(path)),
      [],
    );
    const next = await shop.publish(host, env, plan);
    assert.equal(next.exitCode, 0, next.printed);
  });

  /** Fills the disk, all but `room` bytes of the journal's last page. */
  const JOURNALS: readonly (readonly [string, number, number])[] = [
    ['from the first line', 0, 0],
    ['after the first lines', 500, 1],
  ];
  for (const [when, room, begun] of JOURNALS) {
    test(`where the journal is, ${when}: no tag is moved`, async () => {
      const env = { THOTH_REPOSITORY: `journal-${room}` };
      const dir = await shop.folder('disk');
      const plan = await shop.plan(host, env.THOTH_REPOSITORY);
      const entry = `${JSON.stringify({ at: '2026-01-02T03:04:05.000Z', event: 'plan', plan: '0'.repeat(64) })}\n`;
      const earlier = `${plan}.earlier`;
      await writeFile(earlier, entry.repeat(Math.floor((4_096 - room) / entry.length)));
      const fill = `cp "${plan}" "${earlier}" "$1"; mv "$1/plan.json.earlier" "$1/journal.jsonl"; ! cat /dev/zero > "$1/filler" 2>&1`;
      const outcome = await shop.publish(host, env, join(dir, 'plan.json'), within(dir, fill));
      assert.deepEqual([outcome.exitCode, outcome.error?.code], [2, 'DISK'], outcome.printed);
      assert.match(outcome.error?.message ?? '', /journal\.jsonl could not be written: the disk is full/);
      const tags = proxy.writes.filter(({ path }) => /\/manifests\/(?!sha256:)/.test(path));
      assert.deepEqual([tags, proxy.writes.length > 0], [[], begun > 0]);
    });
  }
});

test('a registry that prints what it was sent is quoted without the password', async () => {
  const server = createServer(({ method, headers: { authorization } }, outgoing) => {
    if (authorization === undefined) {
      outgoing.writeHead(401, { 'www-authenticate': 'Basic realm="echo"' }).end();
    } else if (method === 'HEAD') {
      const headers = { 'docker-content-digest': shop.layout.index.digest, 'content-type': MEDIA.index };
      outgoing.writeHead(200, headers).end();
    } else {
      outgoing.writeHead(418).end(`I got this: Authorization: ${authorization}`);
    }
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const echo = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const { exitCode, error, printed } = await shop.release(['verify', '--tag', 'v1.0.0'], {
      THOTH_SIGN: 'none',
      THOTH_REGISTRY: echo,
      THOTH_HOME: await shop.folder('home'),
      DOCKER_CONFIG: await shop.login(echo, { password: PASSWORD }),
    });
    assert.deepEqual([exitCode, error?.code], [5, 'REGISTRY_FAILED'], printed);
    assert.match(error?.details.join() ?? '', /I got this: Authorization: Basic \*\*\*/);
    assert.ok(!printed.includes(encoded(PASSWORD)), printed);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
