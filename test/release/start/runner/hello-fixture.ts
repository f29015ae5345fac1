import assert from 'node:assert/strict';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { writeImage, writeIndexes, writeLayer } from '../../../../src/release/image/image-writer.ts';
import { type Layout, readLayout } from '../../../../src/release/image/layout.ts';
import { run } from '../../../../src/release/machine/command.ts';
import { together } from '../../../../src/release/machine/together.ts';

const ARCHITECTURES = ['amd64', 'arm64'];

/** What the image does, where it is not the plain one that answers and is healthy. */
export interface HelloOptions {
  readonly entrypoint?: readonly string[];
  readonly healthcheck?: readonly string[];
}

/** Compiles hello.go for every architecture, into `dir/ARCHITECTURE/hello`. */
export async function compileHello(dir: string): Promise<void> {
  await together(
    ARCHITECTURES.map(async (architecture) => {
      const folder = join(dir, architecture);
      await mkdir(folder, { recursive: true });
      const source = join(import.meta.dirname, 'hello.go');
      const args = ['build', '-trimpath', '-ldflags', '-s -w', '-o', join(folder, 'hello'), source];
      const env = { CGO_ENABLED: '0', GOARCH: architecture, GOOS: 'linux', GOWORK: 'off', GOFLAGS: '' };
      const { exitCode, stderr } = await run('go', args, { env });
      assert.equal(exitCode, 0, stderr);
    }),
  );
}

/** A layout of an image that holds nothing but the program compiled into `dir`. */
export async function helloLayout(dir: string, options: HelloOptions = {}): Promise<Layout> {
  const layout = join(await mkdtemp(join(dir, 'hello-')), 'layout');
  const config = {
    User: '65532:65532',
    Entrypoint: options.entrypoint ?? ['/hello'],
    ExposedPorts: { '8000/tcp': {} },
    Healthcheck: { Test: options.healthcheck ?? ['CMD', '/hello', 'healthcheck'] },
  };
  const images = await together(
    ARCHITECTURES.map(async (architecture) => {
      const tar = `${layout}-${architecture}.tar`;
      const packed = await run('tar', ['-cf', tar, '-C', join(dir, architecture), 'hello']);
      assert.equal(packed.exitCode, 0, packed.stderr);
      return writeImage(layout, { architecture, config, layers: [await writeLayer(layout, tar, 'hello')] });
    }),
  );
  await writeIndexes(layout, { release: images });
  return readLayout(layout);
}
