import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Layout, PlatformImage } from '../../../../src/release/image/layout.ts';
import { together } from '../../../../src/release/machine/together.ts';
import type { Runner } from '../../../../src/release/start/runner/runner.ts';
import { startPlatform } from '../../../../src/release/start/start.ts';
import { POLICY, START } from '../../config/defaults.ts';
import { failure } from '../../machine/failure.ts';
import { compileHello, type HelloOptions, helloLayout } from './hello-fixture.ts';

/** The tests that every runner passes. @param runner is asked for after everything else is made */
export function runnerContract(runner: () => Runner): void {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'thoth-hello-'));
    await compileHello(dir);
  });
  after(() => rm(dir, { recursive: true, force: true }));

  const start = (layout: Layout, platform: string) =>
    startPlatform(runner(), layout.dir, imageOf(layout, platform), {
      start: START,
      healthcheck: POLICY.healthcheck,
    });

  const PLATFORMS = ['linux/amd64', 'linux/arm64'];
  for (const platform of PLATFORMS) {
    test(`starts ${platform} until it is healthy`, async () => {
      const layout = await helloLayout(dir);
      const { seconds, ...evidence } = await start(layout, platform);
      const { digest } = imageOf(layout, platform);
      assert.deepEqual(evidence, { platform, digest, runner: runner().name });
      assert.ok(seconds > 0);
    });
  }

  test('starts them at the same time, each at a place of its own', async () => {
    assert.ok(runner().together(START));
    const layout = await helloLayout(dir);
    const running = await together(
      PLATFORMS.map((platform) => runner().start(layout.dir, imageOf(layout, platform), START)),
    );
    try {
      for (const { url } of running) await until(async () => (await fetch(url)).ok);
      assert.equal(new Set(running.map(({ url }) => url)).size, PLATFORMS.length);
    } finally {
      await together(running.map((one) => one.stop()));
    }
  });

  test('runs it as the user of the image, and stops it', async () => {
    const layout = await helloLayout(dir);
    const running = await runner().start(layout.dir, imageOf(layout, 'linux/amd64'), START);
    try {
      await until(async () => (await fetch(running.url)).ok);
      await until(async () => running.output().includes('listening as user 65532'));
    } finally {
      await running.stop();
    }
    await assert.rejects(fetch(running.url));
    assert.notEqual(await running.ended, 0);
  });

  const FAULTS: readonly [string, HelloOptions, RegExp][] = [
    ['a program that ends at once', { entrypoint: ['/hello', 'healthcheck'] }, /ended with exit code 3/],
    ['a HEALTHCHECK that fails', { healthcheck: ['CMD', '/missing'] }, /HEALTHCHECK exits [1-9]/],
    ['no HEALTHCHECK', { healthcheck: ['NONE'] }, /HEALTHCHECK exits 1/],
  ];
  for (const [what, options, message] of FAULTS) {
    test(`says what is wrong with ${what}`, async () => {
      const error = await failure(start(await helloLayout(dir, options), 'linux/amd64'));
      assert.equal(error.code, 'START_FAILED');
      assert.match(error.message, message);
    });
  }

  test('quotes what a program printed before it ended', async () => {
    const layout = await helloLayout(dir, { entrypoint: ['/hello', 'healthcheck'] });
    const error = await failure(start(layout, 'linux/amd64'));
    assert.match(error.details.join('\n'), /connection refused/);
  });

  test('refuses a layout that holds another image than the one that was read', async () => {
    const layout = await helloLayout(dir);
    const other = await helloLayout(dir, { healthcheck: ['CMD', '/other'] });
    const error = await failure(runner().start(layout.dir, imageOf(other, 'linux/amd64'), START));
    assert.match(error.code, /LAYOUT_CORRUPT|START_FAILED/);
  });
}

function imageOf(layout: Layout, platform: string): PlatformImage {
  const image = layout.platforms.find((one) => one.platform === platform);
  assert.ok(image);
  return image;
}

/** Waits, fifteen seconds at most, for something to be so; what it throws meanwhile is "not yet". */
async function until(condition: () => Promise<boolean>): Promise<void> {
  for (const limit = Date.now() + 15_000; ; await sleep(20)) {
    const last = Date.now() > limit;
    const met = await condition().catch((error: unknown) => {
      if (last) throw error;
      return false;
    });
    if (met) return;
    assert.ok(!last, `not so after fifteen seconds: ${condition}`);
  }
}
