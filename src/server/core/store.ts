import type { Result } from "../../base/result.ts";
import type { WireStatus } from "../../wire/job.ts";
import type { AccessToken } from "./access/access-token.ts";
import type { ActiveJob, ArtifactId, EndedJob, Job, JobId, JobStatus, QueuedJob } from "./jobs/job.ts";
import type { Judgeable } from "./jobs/usage/held-estimates.ts";
import type { SpentJob, Window } from "./jobs/usage/stints.ts";
import type { OutboxChanges, OutboxReads } from "./notices/outbox.ts";
import type { HostPart } from "./queue/booking/host-part.ts";
import type { Drains } from "./queue/drain.ts";
import type { Stretch, UseAt, UseOf } from "./queue/fair-share.ts";
import type { EarlierRun } from "./queue/forecast/durations.ts";
import type { GpuFault } from "./queue/gpu-fault.ts";
import type { LimitedJobs } from "./queue/patience/limit-spells.ts";
import type { PassedOverSince } from "./queue/patience/passed-over.ts";
import type { CountStartsOf } from "./queue/queue-head.ts";
import type { CountQueued } from "./queue/queue-limits.ts";
import type { Reservation } from "./queue/reservations/reservation.ts";
import type { UserUse } from "./queue/user-limits.ts";
import type { Unavailable } from "./refusal.ts";

/** `readTokenDigest` and `saveTokenDigest` are about the one token that names nobody. Digests are SHA-256 in hexadecimal. */
export type TokenStore = Readonly<{
  readTokenDigest: () => string | null;
  saveTokenDigest: (digest: string) => Promise<Result<void, Unavailable>>;
  findToken: (digest: string) => AccessToken | null;
}>;

export type Environment = Readonly<Record<string, string>>;

/** `matchesText`: of command, name and note one at least. */
export type JobFilter = Readonly<{
  statuses?: readonly WireStatus[];
  gpuIndex?: number;
  user?: string;
  batchId?: string;
  name?: string;
  endedSince?: number;
  endedUntil?: number;
  exitCode?: number;
  matchesText?: (text: string) => boolean;
  limit: number;
  offset: number;
}>;

/** Of one user, or of all, what was not over by `since`, in Unix seconds. */
export type UseAsked = Readonly<{ since: number; user?: string | undefined }>;

export type AddSpent<Folded> = (folded: Folded, jobs: readonly SpentJob[]) => Folded;

/** `limit` takes the head of the queue, in start order. */
export type QueueSelection = Readonly<{ needs?: "cpu" | "gpu"; limit?: number }>;

/** The first to go first; `total` counts all. */
export type ExpiringJobs = Readonly<{ jobs: readonly EndedJob[]; total: number }>;

export type JobCounts = Readonly<Record<JobStatus, number>>;

/** `bytes` on the disk. */
export type ArtifactTotals = Readonly<{ count: number; bytes: number }>;

/** One job for which another waits, or that waits for it; with `isAny` for its end, whatever that is. */
export type Need = Readonly<{ id: JobId; isAny: boolean }>;

/** `isStale`: since it was looked at last, the time of some queued jobs has come, or a clock that was set back says that it has not. `nextAt` is when the next one's comes. */
export type Readiness = Readonly<{ isStale: boolean; nextAt: number | null }>;

/** How many jobs of a batch are what; `first` is the first of them. */
export type BatchCounts = Readonly<{ id: string; first: Job; counts: JobCounts }>;

/** What one writer may do inside the shared transaction; a throw rolls back that writer alone. Setters say whether they changed anything. `readHostUse` is what jobs that run or start have booked. `openTurns` gives their turns to those queued jobs whose time has come, and says how many changed. `setNeeds` writes
 * down for which jobs one waits, `listDependents` has those that wait for it, and `leadsTo` says whether one of the jobs waits for another, by however many between. */
export type Transaction = Readonly<{
  findJob: (id: JobId) => Job | null;
  countQueued: CountQueued;
  readUse: (user: string) => UserUse;
  readHostUse: () => HostPart;
  countActiveOf: (batchId: string) => number;
  listBatch: (batchId: string) => readonly JobId[];
  chargeUse: (stretch: Stretch) => void;
  openTurns: (now: number) => number;
  readStatus: (id: JobId) => JobStatus | null;
  setNeeds: (id: JobId, needs: readonly Need[]) => void;
  dropNeed: (needsId: JobId, id: JobId) => void;
  hasNeeds: (id: JobId) => boolean;
  listDependents: (id: JobId) => readonly Need[];
  leadsTo: (from: readonly JobId[], to: JobId) => boolean;
  hasArtifact: (id: ArtifactId) => boolean;
  insertJob: (job: QueuedJob, env: Environment) => void;
  saveJob: (job: Job) => void;
  saveEnvironment: (id: JobId, env: Environment) => void;
  deleteJob: (id: JobId) => void;
  setBlacklisted: (gpuIdx: number, blacklisted: boolean) => boolean;
  setDiskSpell: (isSpell: boolean) => boolean;
  readDrains: () => Drains;
  readLimited: () => LimitedJobs;
  saveDrains: (drains: Drains) => void;
  saveLimited: (limited: LimitedJobs) => void;
  listReservations: () => readonly Reservation[];
  insertReservation: (reservation: Reservation) => void;
  deleteReservation: (id: string) => void;
  saveGpuFault: (fault: GpuFault) => void;
  deleteGpuFault: (gpuIdx: number) => void;
  addTakenOver: (ids: readonly string[]) => void;
  loadEnvironment: (id: JobId) => Environment;
  outbox: OutboxChanges;
}>;

/**
 * What no waiting or running job needs goes where the last that did ended before `expiry` (Unix seconds), and what was
 * longest unused first while all of it takes more than `maxBytes` on the disk.
 */
export type ArtifactRetention = Readonly<{ expiry: number; maxBytes: number }>;

/** `bytes` is the length of all `chunks`. */
export type OpenedArtifact = Readonly<{ bytes: number; chunks: Iterable<Uint8Array> }>;

/** Whose an artifact is, and how many bytes all of theirs may take that arrive or that a job waits for. */
export type ArtifactShare = Readonly<{ owner: string; maxBytes: number }>;

/** `askedBytes` is what they would take. */
export type ShareExceeded = Readonly<{ kind: "exceeded"; message: string; askedBytes: number; maxBytes: number }>;

export type ArtifactWriter = Readonly<{
  append: (chunk: Uint8Array) => Promise<Result<void, Unavailable | ShareExceeded>>;
  finish: () => Promise<Result<ArtifactId, Unavailable | ShareExceeded>>;
  abort: () => Promise<void>;
}>;

/** `findBySha` finds what `owner` sent, or what nobody in particular did. What it finds, and what is opened, is not deleted within 10 min. */
export type ArtifactStore = Readonly<{
  begin: (gitSha: string | null, share?: ArtifactShare) => ArtifactWriter;
  findBySha: (gitSha: string, owner?: string) => Promise<ArtifactId | null>;
  open: (id: ArtifactId) => Promise<OpenedArtifact | null>;
  read: (id: ArtifactId) => Iterable<Uint8Array>;
  deleteUnused: (retention: ArtifactRetention) => Promise<Result<number, Unavailable>>;
  measure: () => ArtifactTotals;
}>;

/**
 * `write` resolves once its change and those of all concurrent writers are on disk (one fsync for all). `listJobs` yields
 * a page in slices, and lets others have their turn between them. `loadDecidingJobs` has the queued jobs on which a decision
 * depends, with the first of those that came before their `passedOverSince`. `countQueuedBefore` counts those that
 * start before the job. `readUseOf` and `readUseAt` are null where the order is not by use. `listEarlierRuns` has those that completed of the user's newest 500 ended jobs. `readVersion` is another one once something may have been written. `readNewestQueued` is a time, 0 when no job is queued. `findMovingJob`: of those that ended and whose
 * files are still to be kept, the first. `listTakenOver` has the ids of the earlier Nexus's jobs that were taken over, null where none ever were. `listExpiring`: those of a user who was told that what they made goes, where nobody has fetched it. `foldSpent` takes in what jobs of one moment used, in slices between which everything else has its turn; `readGpuSeconds` adds that up of one user. `listEstimates` has, in the same slices, those jobs of them that have started and that had an estimate then. `findVramPeak`: of the last of the user's newest 500 ended jobs that ran the command and was measured, in MiB.
 */
export type Store = Readonly<{
  findJob: (id: JobId) => Job | null;
  listJobs: (filter: JobFilter) => AsyncGenerator<readonly Job[], void>;
  loadQueuedJobs: (selection?: QueueSelection) => readonly QueuedJob[];
  loadDecidingJobs: (countStarts: CountStartsOf, passedOverSince: PassedOverSince) => readonly QueuedJob[];
  isGpuJobReady: () => boolean;
  readVersion: () => string;
  listBatches: (user: string | null, limit: number) => readonly BatchCounts[];
  listNeeds: (id: JobId, limit: number) => readonly JobId[];
  readReadiness: (now: number) => Readiness;
  countQueuedOf: (user: string) => number;
  countQueuedBefore: (job: Pick<QueuedJob, "id" | "user" | "priority" | "createdAt">) => number;
  readNewestQueued: () => number;
  readUseOf: (now: number) => UseOf | null;
  readUseAt: () => UseAt | null;
  listEarlierRuns: (user: string) => readonly EarlierRun[];
  loadActiveJobs: () => readonly ActiveJob[];
  findMovingJob: () => EndedJob | null;
  listExpiring: (user: string, limit: number) => ExpiringJobs;
  findVramPeak: (user: string, command: string) => number | null;
  countJobs: () => JobCounts;
  foldSpent: <Folded>(asked: UseAsked, first: Folded, add: AddSpent<Folded>) => Promise<Folded>;
  listEstimates: (asked: UseAsked) => Promise<readonly Judgeable[]>;
  readGpuSeconds: (user: string, window: Window) => number;
  loadEnvironment: (id: JobId) => Environment;
  listBlacklist: () => ReadonlySet<number>;
  isDiskSpell: () => boolean;
  readDrains: () => Drains;
  readLimited: () => LimitedJobs;
  listReservations: () => readonly Reservation[];
  listGpuFaults: () => readonly GpuFault[];
  listTakenOver: () => ReadonlySet<string> | null;
  write: <Value>(change: (transaction: Transaction) => Value) => Promise<Result<Value, Unavailable>>;
  artifacts: ArtifactStore;
  outbox: OutboxReads;
  close: () => Promise<void>;
}> &
  TokenStore;

/** What a write changed, once it is on disk. */
export type StoreChange =
  | Readonly<{ kind: "job"; job: Job }>
  | Readonly<{ kind: "removal"; id: JobId }>
  | Readonly<{ kind: "blacklist"; gpuIdx: number; blacklisted: boolean }>;
