import { gunzipSync, gzipSync } from 'node:zlib';
import { packTar, unpackTar } from 'modern-tar';

/** The files of a chart by their paths in it, such as `templates/service.yaml`. */
export type ChartFiles = ReadonlyMap<string, Buffer>;

/** Where Node notes the machine's system in what it compresses (RFC 1952, OS). */
const SYSTEM_BYTE = 9;
const UNKNOWN_SYSTEM = 0xff;
/** What Helm reads first comes first, as `helm package` has it. */
const FIRST = ['Chart.yaml', 'values.yaml', 'values.schema.json'];

/**
 * Packs a chart as Helm reads it: gzip over tar, everything in one folder of the chart's name.
 *
 * The same files, name and time give the same bytes, wherever it is done. `helm package` can't be had to: it writes the
 * time of the day. Nothing is compressed, for how well zlib does that differs from version to version; a chart is small.
 *
 * @param time of every file, in unix seconds
 */
export async function packChart(name: string, files: ChartFiles, time: number): Promise<Buffer> {
  const entries = [...files].sort(([a], [b]) => rank(a) - rank(b) || (a < b ? -1 : 1));
  const tar = await packTar(
    entries.map(([path, content]) => ({
      header: {
        name: `${name}/${path}`,
        size: content.length,
        type: 'file',
        mode: 0o644,
        uid: 0,
        gid: 0,
        uname: '',
        gname: '',
        mtime: new Date(time * 1_000),
      },
      body: content,
    })),
  );
  const packed = gzipSync(tar, { level: 0 });
  packed[SYSTEM_BYTE] = UNKNOWN_SYSTEM;
  return packed;
}

/** The files of a packed chart. @throws Error where it is none */
export async function unpackChart(archive: Buffer): Promise<ChartFiles> {
  const entries = await unpackTar(gunzipSync(archive), { strip: 1 });
  return new Map(
    entries.flatMap(({ header, data }) => (data === undefined ? [] : [[header.name, Buffer.from(data)]])),
  );
}

function rank(path: string): number {
  const place = FIRST.indexOf(path);
  return place === -1 ? FIRST.length : place;
}
