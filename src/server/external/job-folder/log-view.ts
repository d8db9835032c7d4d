import type { FileHandle } from "node:fs/promises";
import { LOG_MARK_LENGTH, type LogCut, renderLogMark } from "../../../wire/log-cut.ts";

/** A log as it is shown: in place of what was left out it has a mark. `locate` says where in the file a place of it is, `place` the reverse. */
export type LogView = Readonly<{
  size: number;
  read: (position: number, length: number) => Promise<Uint8Array>;
  locate: (position: number) => number;
  place: (fileStart: number) => number;
}>;

type Stretch = Readonly<{ start: number; end: number; fileStart: number; mark?: Uint8Array }>;

const MAX_RECORD_BYTES = 128;
const RECORD_READS = 5;
const RECORD = /^((\d{20}) (\d{20})\n)\1$/;

export const readBlock = async (file: FileHandle, position: number, length: number): Promise<Uint8Array> => {
  const buffer = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
};

/** What the job's session left out of the log; null for nothing, and for what is no such record. One that is just being written is read again. */
export const readLogCut = async (record: FileHandle | null): Promise<LogCut | null> => {
  for (let read = 0; record !== null && read < RECORD_READS; read += 1) {
    const text = new TextDecoder().decode(await readBlock(record, 0, MAX_RECORD_BYTES));
    const [, , from, to] = RECORD.exec(text) ?? [];
    if (from !== undefined && to !== undefined)
      return Number(from) < Number(to) ? { from: Number(from), to: Number(to) } : null;
  }
  return null;
};

const listStretches = (size: number, cut: LogCut | null): readonly Stretch[] => {
  if (cut === null || cut.to > size) return [{ start: 0, end: size, fileStart: 0 }];
  const marked = cut.from + LOG_MARK_LENGTH;
  const mark = new TextEncoder().encode(renderLogMark(cut));
  return [
    { start: 0, end: cut.from, fileStart: 0 },
    { start: cut.from, end: marked, fileStart: cut.from, mark },
    { start: marked, end: marked + size - cut.to, fileStart: cut.to },
  ];
};

const placeIn = (stretches: readonly Stretch[], position: number): number => {
  const found = stretches.findLast(({ fileStart }) => fileStart <= position);
  if (found === undefined) return 0;
  const place = found.mark === undefined ? found.start + position - found.fileStart : found.start;
  return Math.min(place, stretches.at(-1)?.end ?? 0);
};

export const createLogView = (file: FileHandle, size: number, cut: LogCut | null): LogView => {
  const stretches = listStretches(size, cut);
  const readFrom = async ({ start, fileStart, mark }: Stretch, from: number, to: number): Promise<Uint8Array> =>
    mark?.subarray(from - start, to - start) ?? readBlock(file, fileStart + from - start, to - from);
  return {
    size: stretches.at(-1)?.end ?? 0,
    read: async (position, length) => {
      const touched = stretches.filter(({ start, end }) => start < position + length && end > position);
      const parts = touched.map((one) =>
        readFrom(one, Math.max(one.start, position), Math.min(one.end, position + length)),
      );
      return parts.length === 1 ? (parts[0] ?? new Uint8Array()) : Buffer.concat(await Promise.all(parts));
    },
    place: (fileStart) => placeIn(stretches, fileStart),
    locate: (position) => {
      const found = stretches.find(({ end }) => position < end) ?? stretches.at(-1);
      if (found === undefined) return 0;
      return found.mark === undefined ? found.fileStart + position - found.start : found.fileStart;
    },
  };
};
