import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import type { ByteText, OpenedFile } from "../../../core/running/outputs.ts";
import { type Folder, isMissing, locateIn, openFolder, openFolderIn } from "./folder.ts";

const FLAGS = constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW;
const BLOCK_BYTES = 512 * 1024;
const NS_PER_S = 1e9;

const readPart = async function* (file: FileHandle, from: number, to: number): AsyncGenerator<Uint8Array, void> {
  for (let position = from; position < to; ) {
    const buffer = new Uint8Array(Math.min(BLOCK_BYTES, to - position));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) throw new Error("the file was cut short while it was read");
    position += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
};

/** Reads as fast as it is asked to. `release` is called once nobody reads any more, at the end, on a failure or before. */
export const toStream = (
  parts: AsyncGenerator<Uint8Array, void>,
  release: () => Promise<void>,
): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      pull: async (controller) => {
        const { value } = await parts.next().catch(async (error: unknown) => {
          await release();
          throw error;
        });
        if (value !== undefined) return controller.enqueue(value);
        await release();
        controller.close();
      },
      cancel: async () => {
        await parts.return();
        await release();
      },
    },
    { highWaterMark: 0 },
  );

const describeOpened = async (file: FileHandle): Promise<OpenedFile | null> => {
  const found = await file.stat({ bigint: true });
  if (!found.isFile()) return null;
  const { ino, size, mtimeNs, ctimeNs } = found;
  const close = (): Promise<void> => file.close();
  return {
    size: Number(size),
    tag: [ino, size, mtimeNs, ctimeNs].map((one) => one.toString(36)).join("-"),
    mtime: Number(mtimeNs) / NS_PER_S,
    read: (from, to) => toStream(readPart(file, from, to), close),
    close,
  };
};

/** A regular file of an open folder, whole as it is now; null for what is none, or can't be read. */
export const openFileIn = async (folder: Folder, name: ByteText): Promise<OpenedFile | null> => {
  const file = await open(locateIn(folder, name), FLAGS).catch(() => null);
  const opened = file === null ? null : await describeOpened(file);
  if (opened === null) await file?.close();
  return opened;
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
