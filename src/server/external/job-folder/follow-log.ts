import { createAlarm } from "../../../tools/alarm.ts";
import type { LogStart } from "../../core/running/executor.ts";
import type { JobPaths } from "./job-paths.ts";
import { type OpenedLog, openLog, readNext } from "./opened-log.ts";
import { createPulledStream } from "./pulled-stream.ts";

/** `goOn` makes what is located the log that follows one that has ended, if any does. `isResumable`: it ends after a mark, so that who follows can go on at the byte that the next answer begins with. */
export type Following = Readonly<{
  locate: () => JobPaths;
  start: LogStart;
  isResumable: boolean;
  hasEnded: () => boolean;
  goOn: () => boolean;
  onRelease: () => void;
}>;

type Reader = Readonly<{
  read: () => Promise<Uint8Array>;
  isAtMark: () => boolean;
  close: () => Promise<void>;
}>;

const POLL_MS = 100;
const NOTHING = new Uint8Array();
const FROM_THE_BEGINNING: LogStart = { lastLines: null, place: null };

const createReader = (locate: () => JobPaths, start: LogStart, onChange: () => void): Reader => {
  let log: OpenedLog | null = null;
  return {
    read: async () => {
      log ??= await openLog(locate(), start, onChange);
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

const createChain = (
  { locate, start, goOn }: Following,
  onChange: () => void,
): Reader & { turnOver: () => Promise<boolean> } => {
  let reader = createReader(locate, start, onChange);
  return {
    read: () => reader.read(),
    isAtMark: () => reader.isAtMark(),
    close: () => reader.close(),
    turnOver: async () => {
      if (!goOn()) return false;
      await reader.close();
      reader = createReader(locate, FROM_THE_BEGINNING, onChange);
      return true;
    },
  };
};

export const followLog = (following: Following): ReadableStream<Uint8Array> => {
  const { isResumable, hasEnded, onRelease } = following;
  const alarm = createAlarm();
  const reader = createChain(following, alarm.ring);
  let cancelled = false;
  const isAnswer = async (chunk: Uint8Array, ended: boolean): Promise<boolean> =>
    chunk.length > 0 || (ended && !(await reader.turnOver()));
  const nextChunk = async (): Promise<Uint8Array> => {
    while (!(cancelled || (isResumable && reader.isAtMark()))) {
      const ended = hasEnded();
      const chunk = await reader.read();
      if (await isAnswer(chunk, ended)) return chunk;
      if (!ended) await alarm.wait(POLL_MS);
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
