import { watch } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { openRegular } from "../../../tools/open-regular.ts";
import { LOG_MARK_LENGTH, type LogCut, renderLogMark } from "../../../wire/log-cut.ts";
import type { LogPlace, LogStart } from "../../core/running/executor.ts";
import type { JobPaths } from "./job-paths.ts";
import { findTailStart } from "./log-tail.ts";
import { findSince } from "./log-times.ts";
import { createLogView, readBlock, readLogCut } from "./log-view.ts";

/** `position` is the byte that is read next; `isAtMark`: the last that was read is the mark of what was left out. */
export type OpenedLog = {
  readonly file: FileHandle;
  readonly record: FileHandle | null;
  readonly release: () => Promise<void>;
  position: number;
  isAtMark: boolean;
};

const BLOCK_BYTES = 64 * 1024;

const isIn = (position: number, { from, to }: LogCut): boolean => position >= from && position < to;

const passMark = (from: number, cut: LogCut | null): number =>
  cut !== null && isIn(from, cut) ? cut.to : from + LOG_MARK_LENGTH;

const resume = ({ from, isMarked }: LogPlace, size: number, cut: LogCut | null): number => {
  const position = isMarked ? passMark(from, cut) : from;
  return position > size ? 0 : position;
};

type Opened = Readonly<{ paths: JobPaths; file: FileHandle; record: FileHandle | null }>;

const findStart = async ({ paths, file, record }: Opened, start: LogStart): Promise<number> => {
  const { size } = await file.stat();
  const cut = await readLogCut(record);
  if (start.place !== null) return resume(start.place, size, cut);
  const { lastLines, since = null } = start;
  const view = createLogView(file, size, cut);
  const ofLines = lastLines === null ? 0 : await findTailStart(view, lastLines);
  const ofTime = since === null ? 0 : await findSince(view, file, paths, since);
  return view.locate(Math.max(ofLines, ofTime));
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

/** Null while there is no log. */
export const openLog = async (paths: JobPaths, start: LogStart, onChange: () => void): Promise<OpenedLog | null> => {
  const file = await openRegular(paths.outputLog);
  if (file === null) return null;
  const record = await openRegular(paths.logCut);
  const stopWatching = watchFile(paths.outputLog, onChange);
  const release = async (): Promise<void> => {
    stopWatching();
    await file.close();
    await record?.close();
  };
  return { file, record, release, position: await findStart({ paths, file, record }, start), isAtMark: false };
};

/** The byte at which reading begins; 0 while there is no log. */
export const locateStart = async (paths: JobPaths, start: LogStart): Promise<number> => {
  const opened = await openLog(paths, start, () => undefined);
  await opened?.release();
  return opened?.position ?? 0;
};

const takeMark = (opened: OpenedLog, cut: LogCut): Uint8Array => {
  opened.position = cut.to;
  opened.isAtMark = true;
  return new TextEncoder().encode(renderLogMark(cut));
};

/**
 * Empty where nothing is there yet. A block is read before it is asked what was left out: that is written down before its bytes go,
 * so what of the block was not left out by then is as it was printed.
 */
export const readNext = async (opened: OpenedLog): Promise<Uint8Array> => {
  const { file, record, position } = opened;
  const block = await readBlock(file, position, BLOCK_BYTES);
  const cut = block.length === 0 ? null : await readLogCut(record);
  if (cut !== null && isIn(position, cut)) return takeMark(opened, cut);
  const whole = cut === null || position >= cut.to ? block : block.subarray(0, cut.from - position);
  opened.position += whole.length;
  return whole;
};
