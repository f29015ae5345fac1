import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdtemp, symlink, truncate } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { ErrorCode } from '../../../src/release/errors.ts';
import { blobPath, type Layout } from '../../../src/release/image/layout.ts';
import { currentTags } from '../../../src/release/publish/current-tags.ts';
import { openEmbedded } from '../../../src/release/publish/target.ts';
import type { Registry } from '../../../src/release/registry/registry.ts';
import { readSettings } from '../../../src/release/settings.ts';
import { failure } from '../machine/failure.ts';
import {
  apply,
  type Bench,
  makeLayout,
  openBench,
  planFor,
  repositoryAt,
} from '../publish/release-fixture.ts';
import { makeAuthority } from './certificates.ts';
import { answer, FaultProxy, type Seen } from './proxy.ts';
import { HOME } from './registry-workshop.ts';

const TAGS = ['v1.0.0', 'v1.0', 'v1', 'latest'];

let bench: Bench;
let proxy: FaultProxy;
let host: string;
let layout: Layout;
before(async () => {
  bench = await openBench();
  proxy = new FaultProxy(bench.embedded.host);
  host = await proxy.start();
  layout = await makeLayout(bench, 'v1.0.0');
});
after(async () => {
  await proxy.stop();
  await bench.close();
});

const folder = () => mkdtemp(join(bench.dir, 'run-'));

async function release(registry: Registry, image = layout) {
  return apply(await planFor(registry, 'v1.0.0', image), registry, await folder(), image);
}

/** What the registry holds, asked past the proxy. */
async function tagsIn(repository: string): Promise<Record<string, string | undefined>> {
  const registry = await repositoryAt(bench.embedded.host, repository);
  return Object.fromEntries(await currentTags(registry, await registry.tags()));
}

const released = ({ index }: Layout) => Object.fromEntries(TAGS.map((tag) => [tag, index.digest]));

describe('a registry that goes away in the middle of an upload', () => {
  const port = () => Number(host.split(':')[1]);
  /** Of few requests: regctl waits the longer for a registry that is gone, up to a minute, the more it has under way. */
  let small: Layout;
  before(async () => {
    small = await makeLayout(bench, 'v1.0.0', { platforms: ['linux/amd64'] });
  });

  const isBlob = ({ path, bytes }: Seen) => bytes > 0 && path.includes('/blobs/uploads/');
  const isManifest = ({ method, path }: Seen) => method === 'PUT' && path.includes('/manifests/sha256:');

  /** Closes the door at the first request of a kind. @param then what follows when it is closed */
  function goAway(at: (seen: Seen) => boolean, then: () => Promise<unknown> = async () => undefined) {
    proxy.fault = (seen) => {
      if (!at(seen)) return undefined;
      proxy.fault = () => undefined;
      void proxy.stop().then(then);
      return 'reset';
    };
  }

  test('for a moment loses nothing', async () => {
    const registry = await repositoryAt(host, 'moment');
    goAway(isBlob, () => proxy.start(port()));
    assert.deepEqual((await release(registry, small)).moved, TAGS);
    assert.deepEqual(await tagsIn('moment'), released(small));
  });

  test('and comes back is waited for', async () => {
    let pauses = 0;
    const registry = await repositoryAt(host, 'back', {
      pause: async () => {
        pauses += 1;
        if (pauses === 1) await proxy.start(port());
      },
    });
    goAway(isManifest);
    assert.deepEqual((await release(registry, small)).moved, TAGS);
    assert.ok(pauses > 0);
    assert.deepEqual(await tagsIn('back'), released(small));
  });

  test('and stays away is reported, no tag moved; the next run goes on from there', async () => {
    const registry = await repositoryAt(host, 'away', { attempts: 2 });
    goAway(isManifest);
    const dir = await folder();
    const plan = await planFor(registry, 'v1.0.0', small);
    const error = await failure(apply(plan, registry, dir, small));
    assert.equal(error.code, 'REGISTRY_UNREACHABLE');
    assert.match(error.remedy, /run the same command again/i);
    assert.deepEqual(await tagsIn('away'), {});
    await proxy.start(port());
    const again = await apply(plan, registry, dir, small);
    assert.deepEqual([again.resumed, again.moved], [true, TAGS]);
    assert.deepEqual(await tagsIn('away'), released(small));
  });

  test('before it ever answered, it is not waited for', async () => {
    await proxy.stop();
    let pauses = 0;
    const registry = await repositoryAt(host, 'never', {
      pause: async () => {
        pauses += 1;
      },
    });
    const { code } = await failure(registry.tags());
    await proxy.start(port());
    assert.deepEqual([code, pauses], ['REGISTRY_UNREACHABLE', 0]);
  });
});

/** What a registry does wrong, at which requests. */
interface Damage {
  readonly what: string;
  at(seen: Seen): boolean;
  readonly spoil: (response: ServerResponse) => void;
  /** Of a registry that does it every time. */
  readonly always: ErrorCode;
  /** Whether its tags were moved by then. */
  readonly moved?: boolean;
}

describe('a registry that does not serve what was pushed', () => {
  const layer = () => layout.platforms[0]?.layers[0] ?? layout.index;
  const isGet = ({ method, path }: Seen, digest: string) => method === 'GET' && path.endsWith(digest);
  const type = { 'content-type': 'application/vnd.oci.image.index.v1+json' };

  const DAMAGES: readonly Damage[] = [
    {
      what: 'a blob that is cut off',
      at: (seen) => isGet(seen, layer().digest),
      spoil: (response) => {
        response.writeHead(200, { 'content-length': layer().size });
        createReadStream(blobPath(layout.dir, layer().digest), { end: layer().size - 2 })
          .once('end', () => response.destroy())
          .pipe(response, { end: false });
      },
      always: 'REGISTRY_UNREACHABLE',
    },
    {
      what: 'a blob of other bytes',
      at: (seen) => isGet(seen, layer().digest),
      spoil: (response) => void response.writeHead(200).end(Buffer.alloc(layer().size)),
      always: 'VERIFY_FAILED',
    },
    {
      what: 'another index',
      at: (seen) => isGet(seen, layout.index.digest),
      spoil: (response) => void response.writeHead(200, type).end('{"schemaVersion":2,"manifests":[]}'),
      always: 'VERIFY_FAILED',
    },
    {
      what: '404 in place of a manifest',
      at: (seen) => isGet(seen, layout.platforms[1]?.digest ?? ''),
      spoil: answer(404),
      always: 'REGISTRY_FAILED',
    },
    {
      what: '404 in place of a blob',
      at: (seen) => isGet(seen, layer().digest),
      spoil: answer(404),
      always: 'REGISTRY_FAILED',
    },
  ];

  for (const { what, at, spoil, always } of DAMAGES) {
    test(`${what}, once: it passes`, async () => {
      const repository = `once-${DAMAGES.findIndex((one) => one.what === what)}`;
      const registry = await repositoryAt(host, repository);
      let spoilt = 0;
      proxy.fault = (seen) => {
        if (!at(seen) || spoilt > 0) return undefined;
        spoilt += 1;
        return spoil;
      };
      const { moved } = await release(registry);
      proxy.fault = () => undefined;
      assert.deepEqual([spoilt, moved], [1, TAGS]);
    });

    test(`${what}, always: no tag is moved`, async () => {
      const repository = `always-${DAMAGES.findIndex((one) => one.what === what)}`;
      const registry = await repositoryAt(host, repository, { attempts: 8 });
      proxy.fault = (seen) => (at(seen) ? spoil : undefined);
      const { code } = await failure(release(registry));
      proxy.fault = () => undefined;
      assert.equal(code, always);
      assert.deepEqual(await tagsIn(repository), {});
    });
  }

  test('a tag that was just moved is not there at first: it is asked for again', async () => {
    const registry = await repositoryAt(host, 'late');
    let written = false;
    let late = 2;
    proxy.fault = ({ method, path }) => {
      if (!path.endsWith('/manifests/latest')) return undefined;
      written ||= method === 'PUT';
      if (!written || method === 'PUT' || late === 0) return undefined;
      late -= 1;
      return answer(404);
    };
    const { moved } = await release(registry);
    proxy.fault = () => undefined;
    assert.deepEqual([late, moved], [0, TAGS]);
  });

  test('a tag that was just moved never shows: it is said', async () => {
    const registry = await repositoryAt(host, 'lost');
    let written = false;
    proxy.fault = ({ method, path }) => {
      if (!path.endsWith('/manifests/v1')) return undefined;
      written ||= method === 'PUT';
      return written && method !== 'PUT' ? answer(404) : undefined;
    };
    const { code, details } = await failure(release(registry));
    proxy.fault = () => undefined;
    assert.equal(code, 'VERIFY_FAILED');
    assert.match(details.join(), /^v1: absent/);
  });
});

test('Ctrl-C while the image is read back is an interruption, and no fault of the registry', async () => {
  const controller = new AbortController();
  const registry = await repositoryAt(host, 'interrupted', { signal: controller.signal });
  proxy.fault = ({ method, path }) => {
    if (method === 'GET' && path.includes('/blobs/')) controller.abort();
    return undefined;
  };
  const { code } = await failure(release(registry));
  proxy.fault = () => undefined;
  assert.equal(code, 'INTERRUPTED');
  assert.deepEqual(await tagsIn('interrupted'), {});
});

test('a blob of the layout that is cut off is found before anything is sent', async () => {
  const cut = await makeLayout(bench, 'v1.0.0');
  const registry = await repositoryAt(host, 'cut');
  const plan = await planFor(registry, 'v1.0.0', cut);
  const [blob] = cut.platforms[0]?.layers ?? [];
  await truncate(blobPath(cut.dir, blob?.digest ?? ''), (blob?.size ?? 0) - 1);
  proxy.seen = [];
  assert.equal((await failure(apply(plan, registry, await folder(), cut))).code, 'LAYOUT_CORRUPT');
  assert.deepEqual(proxy.writes, []);
});

test('the embedded registry is plain HTTP, whatever authority the real one has', async () => {
  const home = await folder();
  const { certificate } = await makeAuthority(home, 'authority');
  const env = {
    THOTH_REGISTRY: 'registry.example.test',
    THOTH_REGISTRY_CA: certificate,
    THOTH_HOME: home,
    THOTH_REPOSITORY: 'marcopancotti/thoth',
  };
  await symlink(join(HOME, 'tools'), join(home, 'tools'));
  const settings = readSettings({}, env, bench.dir);
  const target = await openEmbedded(settings, new AbortController().signal);
  try {
    assert.deepEqual(await target.registry.tags(), []);
  } finally {
    await target.close();
  }
});
