import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, test } from 'node:test';
import { finishLayout } from '../../../../src/release/build/build.ts';
import type { Builder } from '../../../../src/release/build/builder/builder.ts';
import { writeImage, writeIndexes, writeLayer } from '../../../../src/release/image/image-writer.ts';
import { blobPath, type Layout, verifyLayout } from '../../../../src/release/image/layout.ts';
import type { Descriptor } from '../../../../src/release/image/oci.ts';
import { run } from '../../../../src/release/machine/command.ts';
import { requireTool } from '../../../../src/release/machine/tools.ts';
import { startEmbedded } from '../../../../src/release/registry/embedded.ts';
import { createRegctl, type Regctl } from '../../../../src/release/registry/regctl.ts';
import { tar } from '../../image/tar.ts';
import { failure } from '../../machine/failure.ts';

const TOOLS = resolve(import.meta.dirname, '../../../../.thoth');
/** 2026-01-01, in seconds. */
const EPOCH = 1_767_225_600;
/** Not in the order of the alphabet, nor with the machine's own first. */
const PLATFORMS = ['linux/arm64', 'linux/amd64'];

/** As the project's own: a native stage, a final one that only copies, a HEALTHCHECK, a label. */
const DOCKERFILE = `
ARG BASE=registry.invalid/base
FROM --platform=$BUILDPLATFORM \${BASE} AS build
COPY greeting /out/greeting

FROM \${BASE}
COPY --from=build --chown=65532:65532 /out/greeting /greeting
USER 65532:65532
HEALTHCHECK --interval=30s --timeout=3s CMD ["/greeting", "healthcheck"]
ENTRYPOINT ["/greeting"]
ARG VERSION
LABEL org.opencontainers.image.version="\${VERSION}"
`;

/** The tests that every builder passes. @param open makes the builder, with everything of its own below `home` */
export function builderContract(open: (home: string, regctl: Regctl) => Promise<Builder>): void {
  let dir: string;
  let layouts: readonly Layout[];
  let base: readonly Descriptor[];
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'thoth-builder-'));
    await writeFile(join(dir, 'Dockerfile'), DOCKERFILE);
    await writeFile(join(dir, 'greeting'), 'hello\n');
    base = await writeBase(join(dir, 'base'));
    layouts = [...(await build(dir, [false, true])), ...(await build(await copyOf(dir), [false]))];
  });
  after(() => rm(dir, { recursive: true, force: true }));

  test('builds every platform, in the order they were asked for', async () => {
    const [layout] = layouts;
    assert.ok(layout);
    assert.deepEqual(
      layout.platforms.map((image) => image.platform),
      PLATFORMS,
    );
    await verifyLayout(layout);
  });

  test('keeps what the Dockerfile says', () => {
    for (const { config, annotations } of layouts[0]?.platforms ?? []) {
      const { User, Entrypoint, Env, Labels, Healthcheck } = config.config;
      assert.deepEqual([User, Entrypoint, Env], ['65532:65532', ['/greeting'], ['PATH=/bin']]);
      assert.deepEqual(Healthcheck, {
        Test: ['CMD', '/greeting', 'healthcheck'],
        Interval: 30e9,
        Timeout: 3e9,
      });
      const version = { 'org.opencontainers.image.version': '1.2.3' };
      assert.deepEqual([Labels, annotations], [version, version]);
    }
  });

  test('takes the layers of the base image as they are, and adds the files', async () => {
    for (const [n, image] of (layouts[0]?.platforms ?? []).entries()) {
      const [bottom, ...added] = image.layers;
      assert.equal(bottom?.digest, base[n]?.digest);
      const files = await Promise.all(added.map((layer) => listing(layouts[0]?.dir ?? '', layer.digest)));
      assert.match(files.join(''), /65532\/65532 +6 2026-01-01 00:00(:00)? greeting\n/);
      assert.equal(image.config.created, '2026-01-01T00:00:00Z');
    }
  });

  test('gives the same digest from a clean build, from another folder and another registry', () => {
    const [digest, ...others] = layouts.map((layout) => layout.index.digest);
    assert.deepEqual(others, [digest, digest]);
  });

  test('says what failed', async () => {
    const broken = await copyOf(dir);
    await writeFile(join(broken, 'Dockerfile'), DOCKERFILE.replace('COPY greeting', 'COPY missing'));
    const error = await failure(build(broken, [false]));
    assert.equal(error.code, 'BUILD_FAILED');
    assert.match(error.details.join('\n'), /missing/);
  });

  /** Builds the project in a folder, once for each entry, with the cache or without. */
  async function build(project: string, noCache: readonly boolean[]): Promise<Layout[]> {
    const home = join(project, '.thoth');
    const registry = await startEmbedded(home);
    try {
      const regctl = createRegctl(await requireTool('regctl', TOOLS), { plainHttp: [registry.host] });
      const pushed = await regctl(['image', 'copy', `ocidir://${dir}/base:base`, `${registry.host}/base:1`]);
      assert.equal(pushed.exitCode, 0, pushed.stderr);
      const builder = await open(home, regctl);
      const made: Layout[] = [];
      for (const clean of noCache) {
        const { reference } = await builder.build(
          {
            context: project,
            dockerfile: join(project, 'Dockerfile'),
            platforms: PLATFORMS,
            args: { BASE: `${registry.host}/base:1`, VERSION: '1.2.3' },
            secrets: {},
            epoch: EPOCH,
            staging: `${registry.host}/staging`,
            noCache: clean,
          },
          { say: () => undefined },
        );
        made.push(await finishLayout(reference, join(home, `layout-${made.length}`), regctl));
      }
      return made;
    } finally {
      await registry.stop();
    }
  }
}

/** A new project, with the files of another at another time. */
async function copyOf(project: string): Promise<string> {
  const copy = await mkdtemp(join(project, 'copy-'));
  for (const file of ['Dockerfile', 'greeting']) await cp(join(project, file), join(copy, file));
  return copy;
}

/** Writes a base image of every platform as a layout. @returns each platform's layer */
async function writeBase(layout: string): Promise<Descriptor[]> {
  const layers: Descriptor[] = [];
  const images: Descriptor[] = [];
  for (const platform of PLATFORMS) {
    const architecture = platform.replace('linux/', '');
    const archive = `${layout}-${architecture}.tar`;
    await writeFile(archive, tar({ architecture: architecture.repeat(10_000) }));
    const layer = await writeLayer(layout, archive, 'base');
    layers.push(layer.descriptor);
    images.push(await writeImage(layout, { architecture, config: { Env: ['PATH=/bin'] }, layers: [layer] }));
  }
  await writeIndexes(layout, { base: images });
  return layers;
}

async function listing(layout: string, digest: string): Promise<string> {
  const args = ['--list', '--verbose', '--numeric-owner', '--utc', '--gzip', '--file'];
  const { stdout, stderr, exitCode } = await run('tar', [...args, blobPath(layout, digest)]);
  assert.equal(exitCode, 0, stderr);
  return `${stdout}\n`;
}
