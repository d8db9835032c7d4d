import { existsSync } from "node:fs";
import { type FileHandle, lstat } from "node:fs/promises";
import { openRegular } from "../../../tools/open-regular.ts";
import type { LogCut } from "../../../wire/log-cut.ts";
import type { JobId } from "../../core/jobs/job.ts";
import type { AttemptsFollowed, LogEnd, LogFile, LogReads } from "../../core/running/executor.ts";
import { locateAttempt } from "./attempt-files.ts";
import { type Following, followLog } from "./follow-log.ts";
import { type JobPaths, locateJobFiles } from "./job-paths.ts";
import { findTailStart } from "./log-tail.ts";
import { findSince } from "./log-times.ts";
import { createLogView, type LogView, readLogCut } from "./log-view.ts";
import { locateStart } from "./opened-log.ts";

const TAIL_READS = 5;

const isSame = (a: LogCut | null, b: LogCut | null): boolean => a?.from === b?.from && a?.to === b?.to;

type FindStart = (view: LogView, file: FileHandle) => Promise<number>;

const readSteady = async (file: FileHandle, record: FileHandle | null, findStart: FindStart): Promise<Uint8Array> => {
  for (let read = 1; ; read += 1) {
    const cut = await readLogCut(record);
    const view = createLogView(file, (await file.stat()).size, cut);
    const start = await findStart(view, file);
    const bytes = await view.read(start, view.size - start);
    if (read === TAIL_READS || isSame(cut, await readLogCut(record))) return bytes;
  }
};

const readTail = async (path: string, recordPath: string | null, findStart: FindStart): Promise<Uint8Array> => {
  const file = await openRegular(path);
  if (file === null) return new Uint8Array();
  const record = recordPath === null ? null : await openRegular(recordPath);
  try {
    return await readSteady(file, record, findStart);
  } finally {
    await record?.close();
    await file.close();
  }
};

const findStartIn =
  (paths: JobPaths, { lastLines, since = null }: LogEnd): FindStart =>
  async (view, file) => {
    const start = await findTailStart(view, lastLines);
    return since === null ? start : Math.max(start, await findSince(view, file, paths, since));
  };

type Locate = (id: JobId) => JobPaths;

type Chain = Pick<Following, "locate" | "hasEnded" | "goOn">;

const chainAttempts = (paths: JobPaths, { first, isOver, isLast }: AttemptsFollowed): Chain => {
  let attempt = first;
  const goOn = (): boolean => {
    if (isLast(attempt)) return false;
    attempt += 1;
    return true;
  };
  return { locate: () => locateAttempt(paths, attempt), hasEnded: () => isOver(attempt), goOn };
};

type AddFollower = () => () => void;

const createFollowing = (locate: Locate, addFollower: AddFollower): Pick<LogReads, "follow" | "resume"> => ({
  follow: (id, lastLines, ends) => {
    const chain =
      typeof ends === "function"
        ? { locate: () => locate(id), hasEnded: ends, goOn: () => false }
        : chainAttempts(locate(id), ends);
    return followLog({ ...chain, start: { lastLines, place: null }, isResumable: false, onRelease: addFollower() });
  },
  resume: async (id, start, hasEnded) => {
    const position = await locateStart(locate(id), start);
    const place = { from: position, isMarked: false };
    const bytes = followLog({
      ...{ locate: () => locate(id), hasEnded, goOn: () => false, onRelease: addFollower() },
      ...{ start: { lastLines: null, place }, isResumable: true },
    });
    return { position, bytes };
  },
});

const createReads = (locate: Locate, addFollower: AddFollower): LogReads => ({
  isRemoved: async (id) => ![locate(id).outputLog, locate(id).errorLog].some((path) => existsSync(path)),
  knowsTimes: async (id) => existsSync(locate(id).logTimes) || !existsSync(locate(id).outputLog),
  readTail: (id, lastLines, since = null) => {
    const paths = locate(id);
    return readTail(paths.outputLog, paths.logCut, findStartIn(paths, { lastLines, since }));
  },
  readErrors: (id, lastLines) => readTail(locate(id).errorLog, null, (view) => findTailStart(view, lastLines)),
  ...createFollowing(locate, addFollower),
});

const measure = async (path: string): Promise<number | null> => {
  const found = await lstat(path).catch(() => null);
  return found?.isFile() ? found.size : null;
};

/** A log that is not there is empty. `readTail` returns at most the last 10 MiB, cut at the start of a line if it holds one. */
export const createLogFile = (serverDir: string, addFollower: () => () => void = () => () => undefined): LogFile => {
  const locate: Locate = (id) => locateJobFiles(serverDir, id);
  return {
    ...createReads(locate, addFollower),
    measure: (id) => measure(locate(id).outputLog),
    ofAttempt: (attempt) => createReads((id) => locateAttempt(locate(id), attempt), addFollower),
  };
};
