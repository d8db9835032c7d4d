import type { OutputState } from "../../../wire/files.ts";
import type { Integration, Notification } from "../../../wire/job.ts";
import type { JobLink } from "../../../wire/links/link-paths.ts";
import type { WireEstimate } from "../../../wire/wait.ts";
import type { BootTime } from "../clock.ts";
import type { AgentLimits } from "./agent-limits.ts";
import type { Past } from "./attempt.ts";
import type { JobFields } from "./fields/job-fields.ts";
import type { SeenUse } from "./gpu-use.ts";
import type { Halt } from "./halt.ts";
import type { ToldStalls } from "./stall.ts";

export type JobId = string & { readonly __brand: "JobId" };
export type ArtifactId = string & { readonly __brand: "ArtifactId" };

/** `startTicks` is field 22 of `/proc/pid/stat`; with `bootId` it tells a reused pid from the same process. */
export type JobHandle =
  | Readonly<{ kind: "screen"; session: string; pid: number; startTicks: number; bootId: string }>
  | Readonly<{ kind: "slurm"; slurmJobId: number }>;

/** What a job ran, as the client said; `workdir` is the folder below its top in which the command runs, `root` the user's folder that it was taken from. */
export type CodeFacts = Readonly<{
  commit: string | null;
  tree: string | null;
  isDirty: boolean | null;
  workdir: string | null;
  root?: string;
}>;

/** `gpuIdxs` are the GPUs asked for by index, empty when any will do; `numGpus` always says how many. `carriedNames`: of `envNames` those that came from the user's shell. `umask` is octal, `inputId` the artifact that its standard input is, `agent` are the limits of its user where that is an agent. `takenOverAt`: when it came from an earlier Nexus. `avoidedGpuIdxs`: those that failed it. `vramPeakMib`: the most that it was seen to have of a GPU's memory, `gpuUse` what its GPUs did in all of its attempts. `estimate`: when it was said to start as it was submitted, null once it was edited since. */
export type JobSpec = Readonly<{
  id: JobId;
  command: string;
  user: string;
  artifactId: ArtifactId | null;
  numGpus: number;
  requestedGpuIdxs: readonly number[];
  priority: number;
  integrations: readonly Integration[];
  notifications: readonly Notification[];
  envNames: readonly string[];
  carriedNames?: readonly string[];
  jobrc: string | null;
  ignoreBlacklist: boolean;
  gitRepoUrl: string | null;
  gitBranch: string | null;
  gitTag: string | null;
  nodeName: string;
  createdAt: number;
  requestDigest: string;
  code: CodeFacts;
  outputGlobs: readonly string[] | null;
  links: readonly JobLink[];
  umask?: string;
  inputId?: ArtifactId;
  agent?: AgentLimits;
  notes: readonly string[];
  takenOverAt?: number;
  past?: Past;
  avoidedGpuIdxs?: readonly number[];
  vramPeakMib?: number;
  gpuUse?: SeenUse;
  estimate?: WireEstimate | null;
}> &
  JobFields;

/** `begunAt` is the start on the clock that nobody sets, `halt` why it is ended unasked; `isWarned`: its processes were told that its limit is near; `isOverBooked`: it was seen to have more of a GPU's memory than it booked; `toldStalls`: it was seen to do nothing for long; `bookedGpus`: its GPUs, each by the part of its memory that is booked, absent where it has them alone; `bookedCpus`: those that it booked for its GPUs, as it named none. */
export type Launch = Readonly<{
  startedAt: number;
  gpuIdxs: readonly number[];
  bookedGpus?: number;
  bookedCpus?: number;
  dir: string;
  markedForKill: boolean;
  killRequestedBy?: string;
  begunAt?: BootTime;
  halt?: Halt;
  isWarned?: boolean;
  isOverBooked?: boolean;
  toldStalls?: ToldStalls;
}>;

/** Of a job that has ended; null where it ended while it waited, and never started. */
export type PastLaunch = Omit<Launch, "startedAt" | "dir"> & Readonly<{ startedAt: number | null; dir: string | null }>;

/**
 * `wandbNote` is there for a run without a page, or with one that W&B did not confirm. `inputSince` (Unix seconds) since when the job
 * has waited for input; null while it does not, and was told to have done so before.
 */
export type Reports = Readonly<{
  wandbUrl: string | null;
  wandbNote?: string;
  inputSince?: number | null;
  notificationMessages: Readonly<Record<string, string>>;
}>;

export type Amount = Readonly<{ files: number; bytes: number }>;

/** `keptUntil` in Unix seconds; `isWarned`: the owner was told of it; `isPulled`: somebody has fetched all of them. */
export type Outputs = Amount &
  Readonly<{
    state: OutputState;
    leftOut: Amount;
    keptUntil: number | null;
    isWarned: boolean;
    isPulled: boolean;
  }>;

export type QueuedJob = JobSpec & Readonly<{ status: "queued" }>;
export type StartingJob = JobSpec & Launch & Readonly<{ status: "starting" }>;
export type RunningJob = JobSpec & Launch & Reports & Readonly<{ status: "running"; handle: JobHandle }>;
export type EndedJob = JobSpec &
  PastLaunch &
  Reports &
  Readonly<{
    status: "completed" | "failed" | "killed";
    handle: JobHandle | null;
    completedAt: number;
    exitCode: number | null;
    errorMessage: string | null;
    outputs: Outputs;
  }>;

export const USUAL_UMASK = "0022";

export const NO_FILES: Amount = { files: 0, bytes: 0 };

export const UNKNOWN_CODE: CodeFacts = { commit: null, tree: null, isDirty: null, workdir: null };

export const NO_LAUNCH: PastLaunch = { startedAt: null, dir: null, gpuIdxs: [], markedForKill: false };

export const NO_OUTPUTS: Outputs = {
  ...NO_FILES,
  state: "none",
  leftOut: NO_FILES,
  keptUntil: null,
  isWarned: false,
  isPulled: false,
};

export type ActiveJob = StartingJob | RunningJob;
export type Job = QueuedJob | ActiveJob | EndedJob;
export type JobStatus = Job["status"];

export const isActive = (job: Job): job is ActiveJob => job.status === "starting" || job.status === "running";

export const isEnd = (status: JobStatus): status is EndedJob["status"] =>
  status === "completed" || status === "failed" || status === "killed";

export const isEnded = (job: Job): job is EndedJob => isEnd(job.status);

/** Its code and its input. */
export const listArtifacts = ({ artifactId, inputId }: JobSpec): readonly ArtifactId[] =>
  [artifactId, inputId ?? null].filter((id) => id !== null);

/** From when on the time counts for which what is left of an ended job is kept. */
export const findKeptSince = ({ completedAt, takenOverAt }: Pick<EndedJob, "completedAt" | "takenOverAt">): number =>
  Math.max(completedAt, takenOverAt ?? completedAt);

/** What the job made is still to be kept. */
export const isMoving = (job: Job): boolean => isEnded(job) && job.outputs.state === "moving";
