import { createAlarm } from "../../../tools/alarm.ts";
import type { LogStart } from "../../core/running/executor.ts";
import type { JobPaths } from "./job-paths.ts";
import { type OpenedLog, openLog, readNext } from "./opened-log.ts";
import { createPulledStream } from "./pulled-stream.ts";

/** `isResumable`: it ends after a mark, so that who follows can go on at the byte that the next answer begins with. */
export type Following = Readonly<{
  start: LogStart;
  isResumable: boolean;
  hasEnded: () => boolean;
  onRelease: () => void;
}>;

type Reader = Readonly<{
  read: () => Promise<Uint8Array>;
  isAtMark: () => boolean;
  close: () => Promise<void>;
}>;

const POLL_MS = 100;
const NOTHING = new Uint8Array();

const createReader = (paths: JobPaths, start: LogStart, onChange: () => void): Reader => {
  let log: OpenedLog | null = null;
  return {
    read: async () => {
      log ??= await openLog(paths, start, onChange);
      return log === null ? NOTHING : readNext(log);
    },
    isAtMark: () => log?.isAtMark === true,
    close: async () => {
      const closed = log;
      log = null;
      await closed?.release();
    },
  };
};

export const followLog = (
  paths: JobPaths,
  { start, isResumable, hasEnded, onRelease }: Following,
): ReadableStream<Uint8Array> => {
  const alarm = createAlarm();
  const reader = createReader(paths, start, alarm.ring);
  let cancelled = false;
  const nextChunk = async (): Promise<Uint8Array> => {
    while (!(cancelled || (isResumable && reader.isAtMark()))) {
      const ended = hasEnded();
      const chunk = await reader.read();
      if (chunk.length > 0 || ended) return chunk;
      await alarm.wait(POLL_MS);
    }
    return NOTHING;
  };
  const release = async (): Promise<void> => {
    onRelease();
    await reader.close();
  };
  const stop = (): void => {
    cancelled = true;
    alarm.ring();
  };
  return createPulledStream(nextChunk, release, stop);
};
