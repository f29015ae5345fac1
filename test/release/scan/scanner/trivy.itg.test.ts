import assert from 'node:assert/strict';
import { chmod, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { readBuild } from '../../../../src/release/scan/scanner/trivy.ts';
import { updateDatabase } from '../../../../src/release/scan/scanner/vulnerability-database.ts';
import { failure } from '../../machine/failure.ts';
import { serveDatabase, trivyDatabase } from './trivy-database.ts';
import { freshTrivy, KNOWN, newFolder, now, withDatabase } from './trivy-fixture.ts';

test('a database is fetched once, and then is there', async () => {
  const updated = now();
  const trivy = await withDatabase(updated, KNOWN, async (trivy) => {
    assert.equal((await readBuild(trivy)).databaseUpdatedAt, undefined);
    assert.equal(await updateDatabase(trivy), undefined);
    return trivy;
  });
  assert.deepEqual((await readBuild(trivy)).databaseUpdatedAt, updated);
  assert.equal(await updateDatabase(trivy), undefined, 'nobody is asked while it is fresh');
  assert.deepEqual((await readdir(trivy.cache)).sort(), ['db'], 'nothing else is left');
});

test('a registry that answers may take its time', async () => {
  const registry = await serveDatabase(trivyDatabase(now(), KNOWN), async () => {
    await new Promise((done) => setTimeout(done, 1_500));
  });
  try {
    assert.equal(
      await updateDatabase(await freshTrivy({ dbRepository: registry.repository }), 1_000),
      undefined,
    );
  } finally {
    await registry.close();
  }
});

/** A server that takes connections and says nothing. */
async function withSilence<T>(work: (repository: string, asked: Promise<unknown>) => Promise<T>): Promise<T> {
  const sockets = new Set<{ destroy(): void }>();
  let connected: () => void = () => undefined;
  const asked = new Promise<void>((done) => {
    connected = done;
  });
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    connected();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  try {
    return await work(`127.0.0.1:${address.port}/trivy-db:2`, asked);
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
}

test('a registry that says nothing is given up', { timeout: 60_000 }, async () => {
  await withSilence(async (dbRepository) => {
    assert.equal(await updateDatabase(await freshTrivy({ dbRepository }), 1_000), 'no answer within 1 s');
  });
});

test('a signal ends the wait for a registry', { timeout: 60_000 }, async () => {
  await withSilence(async (dbRepository, asked) => {
    const control = new AbortController();
    const trivy = await freshTrivy({ dbRepository, signal: control.signal });
    const work = failure(updateDatabase(trivy));
    await asked;
    control.abort();
    assert.equal((await work).code, 'INTERRUPTED');
    assert.deepEqual(await readdir(trivy.cache), []);
  });
});

test('a program that is no Trivy is a failed scan', async () => {
  const fake = join(await newFolder(), 'trivy');
  await writeFile(fake, '#!/bin/sh\necho "Version: 0.1"\n');
  await chmod(fake, 0o755);
  const error = await failure(readBuild(await freshTrivy({ program: fake })));
  assert.equal(error.code, 'SCAN_FAILED');
  assert.match(error.message, /Trivy's version has a form/);
});
