const BLOCK = 512;

/** An entry that is more than a file of mode 644. */
export interface TarEntry {
  readonly type?: 'file' | 'directory' | 'symlink' | 'hardlink' | 'device';
  readonly content?: string | Buffer;
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  /** What a link points to. */
  readonly target?: string;
  /** Records of a pax header before it. */
  readonly pax?: Readonly<Record<string, string>>;
}

/** Paths to contents, or to more than that. */
export type TarFiles = Readonly<Record<string, string | Buffer | TarEntry>>;

const TYPE_FLAGS = { file: '0', hardlink: '1', symlink: '2', device: '3', directory: '5' } as const;

/** A POSIX ustar archive of entries, in the order given: owner root, mode 644, time 0. Paths up to 100 bytes. */
export function tar(files: TarFiles): Buffer {
  const blocks = Object.entries(files).flatMap(([path, given]) => {
    const entry = typeof given === 'string' || Buffer.isBuffer(given) ? { content: given } : given;
    const pax = Object.entries(entry.pax ?? {}).map(([key, value]) => paxRecord(key, value));
    const before = pax.length === 0 ? [] : member('pax', { content: Buffer.concat(pax) }, 'x');
    return [...before, ...member(path, entry, TYPE_FLAGS[entry.type ?? 'file'])];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

function member(path: string, entry: TarEntry, flag: string): Buffer[] {
  const body = Buffer.from(entry.content ?? '');
  return [
    header(path, entry, flag, body.length),
    body,
    Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK),
  ];
}

/** `LENGTH KEY=VALUE\n`, where the length counts itself (pax(1)). */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + 1;
  while (rest + String(length).length !== length) length += 1;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

function header(
  path: string,
  { mode = 0o644, uid = 0, gid = 0, target = '' }: TarEntry,
  flag: string,
  size: number,
) {
  if (Buffer.byteLength(path) > 100) throw new Error(`${path} is too long for a ustar header`);
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  const block = Buffer.alloc(BLOCK);
  block.write(path, 0);
  block.write(octal(mode, 7) + octal(uid, 7) + octal(gid, 7) + octal(size, 11) + octal(0, 11), 100);
  block.write(`        ${flag}`, 148); // the checksum counts as blanks
  block.write(target, 157);
  block.write('ustar\x0000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 6)} `, 148);
  return block;
}
