import { type BigIntStats, constants } from "node:fs";
import type { ByteRange, ByteText, ReadableFile } from "../../../core/running/outputs.ts";
import { type Descriptor, openDescriptor } from "./descriptor.ts";
import { findData } from "./find-data.ts";
import { type Folder, isMissing, locateIn, openFolder, openFolderIn } from "./folder.ts";

/** A regular file that was opened, and what was known of it then. */
export type Opened = Readonly<{ handle: Descriptor; found: BigIntStats }>;

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
const BLOCK_BYTES = 512 * 1024;
const NS_PER_S = 1e9;

/** Reads as fast as it is asked to, and ends what it reads from when nobody wants more. */
export const toStream = (parts: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { value } = await parts.next();
        if (value === undefined) controller.close();
        else controller.enqueue(value);
      },
      cancel: async () => {
        await parts.return();
      },
    },
    { highWaterMark: 0 },
  );

/** Null for what is no regular file, or can't be read. */
export const openFileIn = async (folder: Folder, name: ByteText): Promise<Opened | null> => {
  const handle = await openDescriptor(locateIn(folder, name), FLAGS).catch(() => null);
  if (handle === null) return null;
  const found = await handle.stat();
  if (found.isFile()) return { handle, found };
  await handle.close();
  return null;
};

/** The bytes of an open file from one place to before another; fails where it has become shorter. */
export const readPart = async function* (
  handle: Descriptor,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array, void> {
  for (let position = from; position < to; ) {
    const buffer = new Uint8Array(Math.min(BLOCK_BYTES, to - position));
    const count = await handle.read(buffer, position);
    if (count === 0) throw new Error("the file was cut short while it was read");
    position += count;
    yield buffer.subarray(0, count);
  }
};

const readAgain = async function* (
  open: () => Promise<Opened | null>,
  { inode, from, to }: Readonly<{ inode: bigint; from: number; to: number }>,
): AsyncGenerator<Uint8Array, void> {
  const opened = await open();
  try {
    if (opened?.found.ino !== inode) throw new Error("the file was replaced before it was read");
    yield* readPart(opened.handle, from, to);
  } finally {
    await opened?.handle.close();
  }
};

const findDataAgain = async (
  open: () => Promise<Opened | null>,
  inode: bigint,
  range: ByteRange,
): Promise<ByteRange> => {
  const opened = await open();
  try {
    return opened?.found.ino === inode ? findData(opened.handle.fd, range) : range;
  } finally {
    await opened?.handle.close();
  }
};

/** A regular file as `open` opens it, for now to see what it is and again once it is read, so that one that is never read is not left open; null for what is none, or can't be read. */
export const describeFileOf = async (open: () => Promise<Opened | null>): Promise<ReadableFile | null> => {
  const opened = await open();
  if (opened === null) return null;
  await opened.handle.close();
  const { ino, size, mtimeNs, ctimeNs } = opened.found;
  return {
    size: Number(size),
    tag: [ino, size, mtimeNs, ctimeNs].map((one) => one.toString(36)).join("-"),
    mtime: Number(mtimeNs) / NS_PER_S,
    read: (from, to) => toStream(readAgain(open, { inode: ino, from, to })),
    findData: (range) => findDataAgain(open, ino, range),
  };
};

const openNext = async (folder: Folder, name: ByteText): Promise<Folder | null> => {
  try {
    return await openFolderIn(folder, name);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  } finally {
    await folder.handle.close();
  }
};

/** The folder at the end of a way without links; null where there is none. */
export const openFolderAt = async (top: string, names: readonly ByteText[]): Promise<Folder | null> => {
  let folder: Folder | null = await openFolder(top).catch(() => null);
  for (const name of names) folder = folder === null ? null : await openNext(folder, name);
  return folder;
};
