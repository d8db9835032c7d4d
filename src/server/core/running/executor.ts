import type { Problem, Result } from "../../../base/result.ts";
import type { ActiveJob, JobHandle, JobId, Reports, RunningJob, StartingJob } from "../jobs/job.ts";
import type { Environment } from "../store.ts";
import type { TerminalSize } from "./job-terminal.ts";

/** `isTemporary`: nothing was started, and the machine is to blame, not the job: its disk is full, say. */
export type LaunchError = Readonly<{ message: string; isTemporary?: boolean }>;
/**
 * `processesLeft` counts the job's processes that outlive its exit code; `left` names all that outlived its command. It was written at `exitedAt` where that is known. `lost`: no process is left and no exit code
 * is there, for the reason given. `jobrcLine` is where the jobrc failed, so that the command never ran. `unstarted`: nothing of the job ran and, from this
 * answer on, never can.
 */
export type Observation =
  | Readonly<{ kind: "alive"; handle: JobHandle }>
  | Readonly<{
      kind: "exited";
      exitCode: number;
      processesLeft: number;
      left?: readonly string[];
      exitedAt?: number;
      jobrcLine?: number;
    }>
  | Readonly<{ kind: "lost"; reason: string }>
  | Readonly<{ kind: "unstarted" }>;

/** `artifact` is the job's code as a tar, `environment` all that its command is to see, but for `devices`, which win over what it and the jobrc say. */
export type JobWork = Readonly<{
  environment: Environment;
  devices: Environment;
  artifact: Iterable<Uint8Array> | null;
  input: Iterable<Uint8Array> | null;
}>;

/**
 * `probe` is one call for all jobs. `kill` sends TERM, or KILL with `force`, to every process of each job and returns
 * at once; a later `probe` tells what is left. `warn` sends USR1 to those processes of each job that catch it. `watch` calls back when the job may have ended, and returns its own end.
 * `attachCommand` shows the job's terminal in the one that it is run in; `fitCommand` gives the job's terminal a size.
 */
export type Executor = Readonly<{
  launch: (job: StartingJob, work: JobWork) => Promise<Result<JobHandle, LaunchError>>;
  probe: (jobs: readonly ActiveJob[]) => Promise<ReadonlyMap<JobId, Observation>>;
  kill: (jobs: readonly ActiveJob[], force: boolean) => Promise<Result<void, Problem>>;
  warn: (jobs: readonly ActiveJob[]) => Promise<Result<void, Problem>>;
  watch: (job: ActiveJob, onChange: () => void) => () => void;
  attachCommand: (handle: JobHandle) => readonly string[];
  fitCommand: (handle: JobHandle, size: TerminalSize) => readonly string[];
}>;

/** `from` is a byte of the log; `isMarked`: what was read last ended with a mark, which began there. */
export type LogPlace = Readonly<{ from: number; isMarked: boolean }>;

/** Of a log its last lines, of these what was written since a time in Unix seconds; all of them where that is null. */
export type LogEnd = Readonly<{ lastLines: number | null; since?: number | null }>;

/** `place` wins over the rest; without any it is the log's beginning. */
export type LogStart = LogEnd & Readonly<{ place: LogPlace | null }>;

/** `position` is the byte of the log that `bytes` begin with. */
export type ResumedLog = Readonly<{ position: number; bytes: ReadableStream<Uint8Array> }>;

/** From the attempt `first` on: whether nothing more comes to the log of one, and whether none comes after it. */
export type AttemptsFollowed = Readonly<{
  first: number;
  isOver: (attempt: number) => boolean;
  isLast: (attempt: number) => boolean;
}>;

/**
 * `isRemoved`: the job's folder, or all logs in it, are gone. `knowsTimes`: when the log was written is noted. Where something was left out of a log that is too large, a mark
 * stands in all of these; what `resume` returns ends after it. `follow` goes on with the logs of later attempts where it is told of them.
 */
export type LogReads = Readonly<{
  isRemoved: (id: JobId) => Promise<boolean>;
  knowsTimes: (id: JobId) => Promise<boolean>;
  readTail: (id: JobId, lastLines: number | null, since?: number | null) => Promise<Uint8Array>;
  readErrors: (id: JobId, lastLines: number | null) => Promise<Uint8Array>;
  follow: (id: JobId, lastLines: number | null, ends: (() => boolean) | AttemptsFollowed) => ReadableStream<Uint8Array>;
  resume: (id: JobId, start: LogStart, hasEnded: () => boolean) => Promise<ResumedLog>;
}>;

/** Of the newest attempt; `ofAttempt` reads the log of another. `measure` has the bytes that were written to it, null where there is none. */
export type LogFile = LogReads &
  Readonly<{ ofAttempt: (attempt: number) => LogReads; measure: (id: JobId) => Promise<number | null> }>;

/** `removeRepo` removes what only the running job needs, but nothing that its command may have made. `remove` has the folder out of the way when it returns, before it resolves. `list` has every folder, also those half removed. */
export type JobDirectory = Readonly<{
  pathOf: (id: JobId) => string;
  list: () => Promise<readonly JobId[]>;
  removeRepo: (id: JobId) => Promise<void>;
  remove: (id: JobId) => Promise<void>;
}>;

/** What is known of the job's run: its page, and what is to be said of it. */
export type WandbPage = Pick<Reports, "wandbUrl" | "wandbNote">;

/** Null while there is no run of the job. */
export type WandbFinder = Readonly<{ find: (job: RunningJob, env: Environment) => Promise<WandbPage | null> }>;
