/**
 * Reads the stream of `tar --format=pax` (POSIX.1-2001): the one tool on every Debian that tells type, mode, owner,
 * links, device numbers, extended attributes and content of a whole tree in one go. Node has no call for the attributes.
 */
import { createHash, type Hash } from 'node:crypto';

export interface TarEntry {
  readonly path: string;
  readonly type: 'file' | 'hardlink' | 'symlink' | 'char' | 'block' | 'dir' | 'fifo';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Of a file's content. */
  readonly sha256?: string;
  /** Of a symbolic link: its text. Of a hard link: the path that holds the content, as in `path`. */
  readonly target?: string;
  /** `MAJOR:MINOR` */
  readonly device?: string;
  /** Values in hex. */
  readonly xattrs: Readonly<Record<string, string>>;
}

const BLOCK = 512;
const TYPES: Readonly<Record<string, TarEntry['type']>> = {
  '0': 'file',
  '\0': 'file',
  '1': 'hardlink',
  '2': 'symlink',
  '3': 'char',
  '4': 'block',
  '5': 'dir',
  '6': 'fifo',
  '7': 'file',
};
const XATTR = 'SCHILY.xattr.';

export async function* tarEntries(stream: AsyncIterable<Buffer>): AsyncGenerator<TarEntry> {
  const read = reader(stream);
  let extended = new Map<string, Buffer>();
  for (;;) {
    const header = await read.exactly(BLOCK);
    // Two zero blocks end an archive and more fill its last record: read on, or tar waits for a reader for ever.
    if (!header || header.every((byte) => byte === 0)) return await read.drain();
    const flag = header.toString('latin1', 156, 157);
    const size = Number(extended.get('size')?.toString() ?? octal(header, 124, 12));
    if (flag === 'x' || flag === 'g') {
      const records = parsePax((await read.exactly(size)) ?? Buffer.alloc(0));
      if (flag === 'x') extended = records;
      await read.skip(padding(size));
      continue;
    }
    const type = TYPES[flag];
    if (!type) throw new Error(`tar gave an entry of unknown type ${JSON.stringify(flag)}`);
    const hash = type === 'file' ? createHash('sha256') : undefined;
    await read.skip(type === 'file' ? size : 0, hash);
    await read.skip(type === 'file' ? padding(size) : 0);
    yield entry(header, type, extended, hash?.digest('hex'));
    extended = new Map();
  }
}

/** Records are `LENGTH KEY=VALUE\n`, the length counting itself. Values may hold any byte. */
export function parsePax(data: Buffer): Map<string, Buffer> {
  const records = new Map<string, Buffer>();
  for (let at = 0; at < data.length; ) {
    const space = data.indexOf(0x20, at);
    const length = Number(data.toString('latin1', at, space));
    if (!(length > 0)) throw new Error('tar gave a broken extended header');
    const equals = data.indexOf(0x3d, space);
    records.set(data.toString('utf8', space + 1, equals), data.subarray(equals + 1, at + length - 1));
    at += length;
  }
  return records;
}

function entry(
  header: Buffer,
  type: TarEntry['type'],
  extended: ReadonlyMap<string, Buffer>,
  sha256: string | undefined,
): TarEntry {
  const own = (key: string, at: number, length: number): number =>
    Number(extended.get(key)?.toString() ?? octal(header, at, length));
  const target = extended.get('linkpath')?.toString() ?? text(header, 157, 100);
  const prefix = text(header, 345, 155);
  const short = prefix ? `${prefix}/${text(header, 0, 100)}` : text(header, 0, 100);
  const xattrs = [...extended].filter(([key]) => key.startsWith(XATTR));
  return {
    path: extended.get('path')?.toString() ?? short,
    type,
    mode: octal(header, 100, 8) & 0o7777,
    uid: own('uid', 108, 8),
    gid: own('gid', 116, 8),
    ...(sha256 === undefined ? {} : { sha256 }),
    ...(type === 'symlink' || type === 'hardlink' ? { target } : {}),
    ...(type === 'char' || type === 'block'
      ? { device: `${octal(header, 329, 8)}:${octal(header, 337, 8)}` }
      : {}),
    xattrs: Object.fromEntries(
      xattrs.map(([key, value]) => [key.slice(XATTR.length), value.toString('hex')]),
    ),
  };
}

function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function text(header: Buffer, at: number, length: number): string {
  const end = header.indexOf(0, at);
  return header.toString('utf8', at, end < 0 || end > at + length ? at + length : end);
}

function octal(header: Buffer, at: number, length: number): number {
  return Number.parseInt(text(header, at, length).trim() || '0', 8);
}

interface Reader {
  /** That many bytes, or undefined when the stream has ended. */
  readonly exactly: (bytes: number) => Promise<Buffer | undefined>;
  readonly skip: (bytes: number, hash?: Hash) => Promise<void>;
  readonly drain: () => Promise<void>;
}

function reader(stream: AsyncIterable<Buffer>): Reader {
  const source = stream[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const next = await source.next();
    if (next.done) return false;
    rest = rest.length === 0 ? next.value : Buffer.concat([rest, next.value]);
    return true;
  };
  return {
    drain: async () => {
      while (await more()) rest = Buffer.alloc(0);
    },
    exactly: async (bytes) => {
      while (rest.length < bytes) if (!(await more())) return undefined;
      const data = rest.subarray(0, bytes);
      rest = rest.subarray(bytes);
      return data;
    },
    skip: async (bytes, hash) => {
      for (let left = bytes; left > 0; ) {
        if (rest.length === 0 && !(await more())) throw new Error('tar ended in the middle of an entry');
        const part = rest.subarray(0, left);
        hash?.update(part);
        rest = rest.subarray(part.length);
        left -= part.length;
      }
    },
  };
}
