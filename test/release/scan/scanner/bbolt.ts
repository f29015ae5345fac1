/** A bbolt database: names to values, or to further buckets. */
export interface Bucket {
  readonly [name: string]: string | Bucket;
}

const PAGE = 4096;
const HEADER = 16;
const [LEAF, META, FREELIST] = [0x02, 0x04, 0x10];
const IS_BUCKET = 1;
const NO_ROOT = Buffer.alloc(HEADER); // page 0: what follows is the bucket's own page, inline

/**
 * Writes a bbolt file (go.etcd.io/bbolt, file format 2): two meta pages, a free list, and one leaf in which
 * every bucket lies inline. Enough to be read; a small one, since nothing is split.
 */
export function bboltFile(root: Bucket): Buffer {
  const data = leaf(root);
  const pages = Math.ceil(data.length / PAGE);
  data.writeBigUInt64LE(3n, 0);
  data.writeUInt32LE(pages - 1, 12);
  const freelist = Buffer.alloc(PAGE);
  freelist.writeBigUInt64LE(2n, 0);
  freelist.writeUInt16LE(FREELIST, 8);
  return Buffer.concat([
    meta(0n, pages),
    meta(1n, pages),
    freelist,
    data,
    Buffer.alloc(pages * PAGE - data.length),
  ]);
}

function leaf(bucket: Bucket): Buffer {
  const entries = Object.entries(bucket).map(([name, content]) => ({
    key: Buffer.from(name),
    flags: typeof content === 'string' ? 0 : IS_BUCKET,
    value: typeof content === 'string' ? Buffer.from(content) : Buffer.concat([NO_ROOT, leaf(content)]),
  }));
  entries.sort((a, b) => Buffer.compare(a.key, b.key));
  const head = Buffer.alloc(HEADER + 16 * entries.length);
  head.writeUInt16LE(LEAF, 8);
  head.writeUInt16LE(entries.length, 10);
  let end = head.length;
  for (const [n, { key, value, flags }] of entries.entries()) {
    const at = HEADER + 16 * n;
    head.writeUInt32LE(flags, at);
    head.writeUInt32LE(end - at, at + 4); // counted from the element itself
    head.writeUInt32LE(key.length, at + 8);
    head.writeUInt32LE(value.length, at + 12);
    end += key.length + value.length;
  }
  return Buffer.concat([head, ...entries.flatMap(({ key, value }) => [key, value])]);
}

function meta(id: bigint, pages: number): Buffer {
  const page = Buffer.alloc(PAGE);
  page.writeBigUInt64LE(id, 0);
  page.writeUInt16LE(META, 8);
  const body = page.subarray(HEADER, HEADER + 64);
  body.writeUInt32LE(0xed0cdaed, 0);
  body.writeUInt32LE(2, 4);
  body.writeUInt32LE(PAGE, 8);
  body.writeBigUInt64LE(3n, 16); // the root's page; its sequence follows
  body.writeBigUInt64LE(2n, 32); // the free list's
  body.writeBigUInt64LE(BigInt(3 + pages), 40); // the first page after the last
  body.writeBigUInt64LE(id, 48); // transaction
  body.writeBigUInt64LE(fnv1a(body.subarray(0, 56)), 56);
  return page;
}

function fnv1a(bytes: Buffer): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  return hash;
}
