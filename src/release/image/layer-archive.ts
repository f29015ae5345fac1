import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { ReleaseError } from '../errors.ts';
import { blobPath, CHUNK } from './layout.ts';
import type { Descriptor } from './oci.ts';

/** How Linux's capabilities stand in a tar archive, as Docker, BuildKit and buildah write them. */
const CAPABILITIES = 'SCHILY.xattr.security.capability=';
/** Long paths and attributes; more than any real one, so that none is skipped. */
const LARGEST_HEADER = 16 * 1024 * 1024;

/**
 * Streams through a layer, a tar archive that is plain or compressed by gzip.
 *
 * @param visit is given each entry; it reads its content by `data` events, or calls `resume()` to pass over it.
 *   `capable` says whether the file carries capabilities (capabilities(7))
 * @throws ReleaseError LAYOUT_INVALID where it is no such archive
 */
export async function readArchive(
  dir: string,
  layer: Descriptor,
  visit: (entry: ReadEntry, capable: boolean) => void,
): Promise<void> {
  let attributes = '';
  const parser = new Parser({ strict: true, maxMetaEntrySize: LARGEST_HEADER });
  parser.on('meta', (text: string) => {
    attributes += text;
  });
  parser.on('entry', (entry: ReadEntry) => {
    visit(entry, attributes.includes(CAPABILITIES));
    attributes = '';
  });
  // What the parser leaves out nobody would judge.
  parser.on('ignoredEntry', ({ path, type }: ReadEntry) => {
    parser.abort(new Error(`${path} is a ${type}`));
  });
  try {
    const file = createReadStream(blobPath(dir, layer.digest), { highWaterMark: CHUNK });
    if (layer.mediaType.endsWith('gzip'))
      await pipeline(file, createGunzip({ chunkSize: CHUNK }), feed(parser));
    else await pipeline(file, feed(parser));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new ReleaseError(
      'LAYOUT_INVALID',
      `The layer ${layer.digest} can not be read as ${layer.mediaType}.`,
      'Build the image with layers that are tar archives, plain or compressed by gzip.',
      [why],
      cause,
    );
  }
}

/** Writes a stream into the parser and waits until it is read to its end. */
function feed(parser: Parser): (source: AsyncIterable<Buffer>) => Promise<void> {
  return async (source) => {
    let ended = false;
    parser.once('eof', () => {
      ended = true;
    });
    const done = new Promise<void>((resolve, reject) => {
      parser.once('end', resolve);
      parser.on('error', (error: Error & { code?: string }) => {
        // An archive with an end and nothing before it is a layer that changes nothing.
        if (error.code !== 'TAR_BAD_ARCHIVE' || !ended) reject(error);
      });
    });
    done.catch(() => undefined); // met below
    for await (const chunk of source) parser.write(chunk);
    parser.end();
    await done;
  };
}
