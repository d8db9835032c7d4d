import type { WireStatus } from "../../shared/job.ts";
import type { Health } from "../../shared/node.ts";
import type { Result } from "../../shared/result.ts";
import type { TokenStore } from "./access-token.ts";
import type {
  ActiveJob,
  ArtifactId,
  Job,
  JobHandle,
  JobId,
  JobStatus,
  QueuedJob,
  RunningJob,
  StartingJob,
} from "./job.ts";
import type { OutboxChanges, OutboxReads } from "./outbox.ts";
import type { TerminalSize } from "./terminal.ts";

/** Unix seconds, with fractions. */
export type Clock = () => number;

export type Environment = Readonly<Record<string, string>>;

export type JobFilter = Readonly<{
  statuses?: readonly WireStatus[];
  gpuIndex?: number;
  user?: string;
  matchesCommand?: (command: string) => boolean;
  limit: number;
  offset: number;
}>;

/** `limit` takes the head of the queue, in start order. */
export type QueueSelection = Readonly<{ needs: "cpu" | "gpu"; limit?: number }>;

export type JobCounts = Readonly<Record<JobStatus, number>>;

export type ArtifactTotals = Readonly<{ count: number; bytes: number }>;

/** What one writer may do inside the shared transaction; a throw rolls back that writer alone. */
export type Transaction = Readonly<{
  findJob: (id: JobId) => Job | null;
  hasArtifact: (id: ArtifactId) => boolean;
  insertJob: (job: QueuedJob, env: Environment) => void;
  saveJob: (job: Job) => void;
  deleteJob: (id: JobId) => void;
  setBlacklisted: (gpuIdx: number, blacklisted: boolean) => boolean;
  loadEnvironment: (id: JobId) => Environment;
  outbox: OutboxChanges;
}>;

/** Why nothing was written: the disk is full or read-only, or the server is stopping. */
export type Unavailable = Readonly<{ kind: "unavailable"; message: string }>;

export type ArtifactWriter = Readonly<{
  append: (chunk: Uint8Array) => Promise<Result<void, Unavailable>>;
  finish: () => Promise<Result<ArtifactId, Unavailable>>;
  abort: () => Promise<void>;
}>;

export type ArtifactStore = Readonly<{
  begin: (gitSha: string | null) => ArtifactWriter;
  findBySha: (gitSha: string) => Promise<ArtifactId | null>;
  read: (id: ArtifactId) => Iterable<Uint8Array>;
  deleteUnused: () => Promise<Result<number, Unavailable>>;
  measure: () => ArtifactTotals;
}>;

/**
 * `write` resolves once its change and those of all concurrent writers are on disk (one fsync for all). `listJobs` yields
 * a page in slices, and lets others have their turn between them. `readNewestQueued` is a time, 0 when no job is queued.
 */
export type Store = Readonly<{
  findJob: (id: JobId) => Job | null;
  listJobs: (filter: JobFilter) => AsyncGenerator<readonly Job[], void>;
  loadQueuedJobs: (selection?: QueueSelection) => readonly QueuedJob[];
  readNewestQueued: () => number;
  loadActiveJobs: () => readonly ActiveJob[];
  countJobs: () => JobCounts;
  loadEnvironment: (id: JobId) => Environment;
  listBlacklist: () => ReadonlySet<number>;
  write: <Value>(change: (transaction: Transaction) => Value) => Promise<Result<Value, Unavailable>>;
  artifacts: ArtifactStore;
  outbox: OutboxReads;
  close: () => Promise<void>;
}> &
  TokenStore;

/** What the server has just done: the moments of a migration, a write, a restart, a launch, an end and a kill that differ on disk. */
export type Step =
  | "migration made"
  | "migration committed"
  | "change made"
  | "change committed"
  | "jobs probed"
  | "start written"
  | "files prepared"
  | "screen spawned"
  | "launch claimed"
  | "launch written"
  | "end seen"
  | "end written"
  | "repo removed"
  | "kill decided"
  | "processes terminated"
  | "processes killed"
  | "screens ended";

/** Is told of each step. No server has one but in tests, where it may die there. */
export type OnStep = (step: Step) => void;

/** `isTemporary`: nothing was started, and the machine is to blame, not the job: its disk is full, say. */
export type LaunchError = Readonly<{ message: string; isTemporary?: boolean }>;
export type KillError = Readonly<{ message: string }>;

/**
 * `processesLeft` counts the job's processes that outlive its exit code, which was written at `exitedAt` where that is known. `lost`: no process is left and no exit code
 * is there, for the reason given. `unstarted`: it never ran and, from this answer on, never can.
 */
export type Observation =
  | Readonly<{ kind: "alive"; handle: JobHandle }>
  | Readonly<{ kind: "exited"; exitCode: number; processesLeft: number; exitedAt?: number }>
  | Readonly<{ kind: "lost"; reason: string }>
  | Readonly<{ kind: "unstarted" }>;

export type JobFiles = Readonly<{
  script: string;
  commands: string;
  environment: Environment;
  artifact: Iterable<Uint8Array> | null;
}>;

/**
 * `probe` is one call for all jobs. `kill` sends TERM, or KILL with `force`, to every process of each job and returns
 * at once; a later `probe` tells what is left. `watch` calls back when the job may have ended, and returns its own end.
 * `attachCommand` shows the job's terminal in the one that it is run in; `fitCommand` gives the job's terminal a size.
 */
export type Executor = Readonly<{
  launch: (job: StartingJob, files: JobFiles) => Promise<Result<JobHandle, LaunchError>>;
  probe: (jobs: readonly ActiveJob[]) => Promise<ReadonlyMap<JobId, Observation>>;
  kill: (jobs: readonly ActiveJob[], force: boolean) => Promise<Result<void, KillError>>;
  watch: (job: ActiveJob, onChange: () => void) => () => void;
  attachCommand: (handle: JobHandle) => readonly string[];
  fitCommand: (handle: JobHandle, size: TerminalSize) => readonly string[];
}>;

/** `processes` are the pids of all that use it. Memory in MiB, utilisation in percent, temperature in °C, power in watts; null where the driver does not say. */
export type Gpu = Readonly<{
  index: number;
  uuid: string | null;
  name: string;
  memoryTotal: number;
  memoryUsed: number;
  utilization: number | null;
  temperature: number | null;
  powerDraw: number | null;
  processes: readonly number[];
}>;

export type GpuError = Readonly<{ message: string }>;

/** `read` answers from a cache not older than `maxAgeS` seconds; it never rejects and never takes over 5 s. */
export type GpuProbe = Readonly<{
  isMock: boolean;
  read: (maxAgeS?: number) => Promise<Result<readonly Gpu[], GpuError>>;
}>;

/** What a write changed, once it is on disk. */
export type StoreChange =
  | Readonly<{ kind: "job"; job: Job }>
  | Readonly<{ kind: "removal"; id: JobId }>
  | Readonly<{ kind: "blacklist"; gpuIdx: number; blacklisted: boolean }>;

/** `isRemoved`: the job's folder, or all logs in it, are gone. */
export type LogFile = Readonly<{
  isRemoved: (id: JobId) => Promise<boolean>;
  readTail: (id: JobId, lastLines: number | null) => Promise<Uint8Array>;
  readErrors: (id: JobId, lastLines: number | null) => Promise<Uint8Array>;
  follow: (id: JobId, lastLines: number | null, hasEnded: () => boolean) => ReadableStream<Uint8Array>;
}>;

/** `removeRepo` removes what only the running job needs. `remove` has the folder out of the way when it returns, before it resolves. `list` has every folder, also those half removed. */
export type JobDirectory = Readonly<{
  pathOf: (id: JobId) => string;
  list: () => Promise<readonly JobId[]>;
  removeRepo: (id: JobId) => Promise<void>;
  remove: (id: JobId) => Promise<void>;
}>;

export type HealthFigures = Pick<Health, "disk" | "network" | "system" | "gpus">;

/** Figures cached for as long as the contract says; never takes over 2 s to answer. */
export type HostStats = Readonly<{
  read: (refresh: boolean) => Promise<HealthFigures>;
}>;

/** The address of the job's run on W&B, null while there is none. */
export type WandbFinder = Readonly<{ find: (job: RunningJob, env: Environment) => Promise<string | null> }>;

/** `running` makes the scheduler look at the running jobs now, `queues` at what can start now, `outbox` at what is to be told. */
export type Wakes = Readonly<{ running: () => void; queues: () => void; outbox: () => void }>;

/** `time` in Unix seconds names a backup. `make` takes as long as it takes, beside the server, and answers with its path. */
export type Backups = Readonly<{
  listTimes: () => readonly number[];
  make: (time: number) => Promise<Result<string, Readonly<{ message: string }>>>;
  remove: (time: number) => Promise<void>;
}>;

export type Log = Readonly<{
  debug: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
  info: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
  warn: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
  error: (event: string, fields?: Readonly<Record<string, unknown>>) => void;
}>;

/** `program` is the name that the kernel has for it, cut to 15 characters. */
export type ProcessOwner = Readonly<{ user: string; program: string }>;

export type FindProcessOwner = (pid: number) => Promise<ProcessOwner | null>;
