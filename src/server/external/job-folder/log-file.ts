import { existsSync, watch } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { createAlarm } from "../../../tools/alarm.ts";
import { openRegular } from "../../../tools/open-regular.ts";
import type { JobId } from "../../core/jobs/job.ts";
import type { LogFile } from "../../core/running/executor.ts";
import { type JobPaths, locateJobFiles } from "./job-paths.ts";

const MAX_TAIL_BYTES = 10 * 1024 * 1024;
const BLOCK_BYTES = 64 * 1024;
const POLL_MS = 100;
const NEWLINE = 10;

type Followed = { readonly file: FileHandle; readonly release: () => Promise<void>; position: number };

const readBlock = async (file: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const buffer = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
};

const findFirstLineStart = async (file: FileHandle, from: number, end: number): Promise<number> => {
  for (let position = from; position < end; position += BLOCK_BYTES) {
    const block = await readBlock(file, position, Math.min(BLOCK_BYTES, end - position));
    const newline = block.indexOf(NEWLINE);
    if (newline !== -1 && position + newline + 1 < end) return position + newline + 1;
  }
  return from;
};

const countBack = (block: Uint8Array, missing: number): Readonly<{ found: number; start: number }> => {
  let found = 0;
  let at = block.length;
  while (found < missing) {
    at = at === 0 ? -1 : block.lastIndexOf(NEWLINE, at - 1);
    if (at === -1) return { found, start: -1 };
    found += 1;
  }
  return { found, start: at + 1 };
};

const findTailStart = async (file: FileHandle, size: number, lastLines: number | null): Promise<number> => {
  const limit = Math.max(0, size - MAX_TAIL_BYTES);
  let missing = lastLines ?? Number.POSITIVE_INFINITY;
  let end = lastLines === null ? limit : size - 1;
  while (end > limit) {
    const from = Math.max(limit, end - BLOCK_BYTES);
    const { found, start } = countBack(await readBlock(file, from, end - from), missing);
    if (start !== -1) return from + start;
    missing -= found;
    end = from;
  }
  return limit === 0 ? 0 : findFirstLineStart(file, limit, size);
};

const startOf = async (file: FileHandle, lastLines: number | null): Promise<number> => {
  const { size } = await file.stat();
  if (lastLines === null) return 0;
  return lastLines <= 0 ? size : findTailStart(file, size, lastLines);
};

const watchFile = (path: string, onChange: () => void): (() => void) => {
  try {
    const watcher = watch(path, onChange);
    watcher.on("error", () => watcher.close());
    return () => watcher.close();
  } catch {
    return () => undefined;
  }
};

const openFollowed = async (path: string, lastLines: number | null, onChange: () => void): Promise<Followed | null> => {
  const file = await openRegular(path);
  if (file === null) return null;
  const stopWatching = watchFile(path, onChange);
  const release = async (): Promise<void> => {
    stopWatching();
    await file.close();
  };
  return { file, release, position: await startOf(file, lastLines) };
};

const readNext = async (followed: Followed | null): Promise<Uint8Array> => {
  if (followed === null) return new Uint8Array();
  const block = await readBlock(followed.file, followed.position, BLOCK_BYTES);
  followed.position += block.length;
  return block;
};

type Following = Readonly<{ lastLines: number | null; hasEnded: () => boolean; onRelease: () => void }>;

const followLog = (path: string, { lastLines, hasEnded, onRelease }: Following): ReadableStream<Uint8Array> => {
  const alarm = createAlarm();
  let followed: Followed | null = null;
  let cancelled = false;
  const nextChunk = async (): Promise<Uint8Array> => {
    while (!cancelled) {
      const ended = hasEnded();
      followed ??= await openFollowed(path, lastLines, alarm.ring);
      const chunk = await readNext(followed);
      if (chunk.length > 0 || ended) return chunk;
      await alarm.wait(POLL_MS);
    }
    return new Uint8Array();
  };
  const release = async (): Promise<void> => {
    const released = followed;
    followed = null;
    onRelease();
    await released?.release();
  };
  return createPulledStream(nextChunk, release, () => {
    cancelled = true;
    alarm.ring();
  });
};

const createPulledStream = (
  nextChunk: () => Promise<Uint8Array>,
  release: () => Promise<void>,
  onCancel: () => void,
): ReadableStream<Uint8Array> => {
  let pulling: Promise<void> = Promise.resolve();
  const pullOnce = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    const chunk = await nextChunk();
    if (chunk.length > 0) return controller.enqueue(chunk);
    await release();
    controller.close();
  };
  const cancel = async (): Promise<void> => {
    onCancel();
    await pulling.catch(() => undefined);
    await release();
  };
  const pull = (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    pulling = pullOnce(controller);
    return pulling;
  };
  return new ReadableStream<Uint8Array>({ pull, cancel }, { highWaterMark: 0 });
};

const readTail = async (path: string, lastLines: number | null): Promise<Uint8Array> => {
  const file = await openRegular(path);
  if (file === null) return new Uint8Array();
  try {
    const { size } = await file.stat();
    const start = lastLines !== null && lastLines <= 0 ? size : await findTailStart(file, size, lastLines);
    return await readBlock(file, start, size - start);
  } finally {
    await file.close();
  }
};

/** A log that is not there is empty. `readTail` returns at most the last 10 MiB, cut at the start of a line if it holds one. */
export const createLogFile = (serverDir: string, addFollower: () => () => void = () => () => undefined): LogFile => {
  const locate = (id: JobId): JobPaths => locateJobFiles(serverDir, id);
  return {
    isRemoved: async (id) => ![locate(id).outputLog, locate(id).errorLog].some((path) => existsSync(path)),
    readTail: (id, lastLines) => readTail(locate(id).outputLog, lastLines),
    readErrors: (id, lastLines) => readTail(locate(id).errorLog, lastLines),
    follow: (id, lastLines, hasEnded) =>
      followLog(locate(id).outputLog, { lastLines, hasEnded, onRelease: addFollower() }),
  };
};
