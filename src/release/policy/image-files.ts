import { posix } from 'node:path';
import type { ReadEntry } from 'tar';
import { readArchive } from '../image/layer-archive.ts';
import type { PlatformImage } from '../image/layout.ts';
import type { Descriptor } from '../image/oci.ts';

/** A file of an image, as a container that is started from it sees it. */
export interface ImageFile {
  readonly type: 'file' | 'directory' | 'symlink' | 'device';
  /** Permission bits with setuid, setgid and sticky: 0o7777 at the most. */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Where a symbolic link points to. */
  readonly target?: string;
  /** Whether it carries capabilities, which give more than the user that runs it has (capabilities(7)). */
  readonly capable: boolean;
}

/** Every file by its path, which begins with a slash. */
export type ImageFiles = ReadonlyMap<string, ImageFile>;

/** An entry of a layer; a hard link has the path of what it is another name of. */
interface Entry extends ImageFile {
  readonly path: string;
  readonly hardlink?: string;
}

const TYPES: Readonly<Record<string, ImageFile['type']>> = {
  File: 'file',
  OldFile: 'file',
  ContiguousFile: 'file',
  Link: 'file',
  Directory: 'directory',
  SymbolicLink: 'symlink',
  CharacterDevice: 'device',
  BlockDevice: 'device',
  FIFO: 'device',
};
/** Marks of what a layer removes from those below it (OCI image spec, layer.md, "Whiteouts"). */
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';
/** As the kernel has it (path_resolution(7)). */
const MOST_SYMLINKS = 40;

/**
 * Lists what is in each platform of a layout when all of its layers are applied. The layers are streamed: what
 * is kept is the list, and no content.
 *
 * @throws ReleaseError LAYOUT_INVALID where a layer is no tar archive, plain or by gzip
 */
export async function readImageFiles(
  dir: string,
  images: readonly PlatformImage[],
): Promise<Map<PlatformImage, ImageFiles>> {
  // What platforms share is read once.
  const layers = new Map<string, Promise<readonly Entry[]>>();
  const views = new Map<PlatformImage, ImageFiles>();
  for (const image of images) {
    const files = new Map<string, ImageFile>();
    for (const layer of image.layers) {
      const entries = layers.get(layer.digest) ?? readLayer(dir, layer);
      layers.set(layer.digest, entries);
      apply(files, await entries);
    }
    views.set(image, files);
  }
  return views;
}

/**
 * Where a path leads when symbolic links are followed, those on the way and, unless `last` is false, its last
 * part. A path that leads nowhere is returned as far as it is known.
 */
export function resolvePath(files: ImageFiles, path: string, last = true): string {
  let rest = path.split('/');
  let at = '/';
  for (let followed = 0; rest.length > 0; ) {
    const [part = '', ...more] = rest;
    rest = more;
    const next = posix.join(at, part);
    const file = files.get(next);
    if (file?.target === undefined || (!last && rest.length === 0) || followed === MOST_SYMLINKS) {
      at = next;
      continue;
    }
    followed += 1;
    if (file.target.startsWith('/')) at = '/';
    rest = [...file.target.split('/'), ...rest];
  }
  return at;
}

/** Puts a layer onto those below it. */
function apply(files: Map<string, ImageFile>, entries: readonly Entry[]): void {
  // First what it removes: a whiteout is about the layers below, wherever in the archive it stands.
  for (const { path } of entries) {
    const name = posix.basename(path);
    if (!name.startsWith(WHITEOUT)) continue;
    const folder = resolvePath(files, posix.dirname(path));
    if (name === OPAQUE) removeBelow(files, folder);
    else removeAt(files, posix.join(folder, name.slice(WHITEOUT.length)));
  }
  for (const { path, hardlink, ...file } of entries) {
    if (posix.basename(path).startsWith(WHITEOUT)) continue;
    const place = resolvePath(files, path, false);
    if (file.type !== 'directory' && files.get(place)?.type === 'directory') removeBelow(files, place);
    const same = hardlink === undefined ? undefined : files.get(resolvePath(files, hardlink));
    files.set(place, same ?? file);
  }
}

function removeAt(files: Map<string, ImageFile>, path: string): void {
  removeBelow(files, path);
  files.delete(path);
}

function removeBelow(files: Map<string, ImageFile>, folder: string): void {
  const prefix = folder === '/' ? '/' : `${folder}/`;
  for (const path of files.keys()) if (path.startsWith(prefix)) files.delete(path);
}

async function readLayer(dir: string, layer: Descriptor): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  await readArchive(dir, layer, (entry, capable) => {
    entries.push(entryOf(entry, capable));
    entry.resume();
  });
  return entries;
}

function entryOf(entry: ReadEntry, capable: boolean): Entry {
  const { linkpath = '' } = entry;
  return {
    path: posix.join('/', entry.path).replace(/(?<=.)\/$/, ''),
    type: TYPES[entry.type] ?? 'device',
    mode: (entry.mode ?? 0) & 0o7777,
    uid: entry.uid ?? 0,
    gid: entry.gid ?? 0,
    capable,
    ...(entry.type === 'SymbolicLink' ? { target: linkpath } : {}),
    ...(entry.type === 'Link' ? { hardlink: posix.join('/', linkpath) } : {}),
  };
}
