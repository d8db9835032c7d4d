import { formatMib } from "../../../base/sizes.ts";
import type { Job, JobId, QueuedJob } from "../jobs/job.ts";
import { describeDiskRoom } from "../machine/disk-room.ts";
import type { ProcessOwner } from "../machine/host.ts";
import { describeShortage, listHolderTexts } from "./booking/host-text.ts";
import type { Allocation } from "./booking/room.ts";
import type { Ineligibility } from "./eligibility.ts";
import { describeIneligibility } from "./eligibility-text.ts";
import { describeKind } from "./gpu-kind.ts";
import { describeReserve } from "./reservations/reservation-text.ts";
import type { Blocker, Candidate, Obstacle, Wait } from "./wait.ts";

/** `gpuError` is why the GPUs can't be read, if they can't; `gpuHint` what would make that quicker; `listNeeds` has the first of the jobs that one waits for. */
export type WaitNotes = Readonly<{
  owners: ReadonlyMap<number, ProcessOwner>;
  gpuError: string | null;
  gpuHint: string | null;
  maxPassedOverS: number;
  listNeeds: (id: JobId) => readonly JobId[];
}>;

type Taken = Extract<Blocker, { kind: "gpus_taken" }>;
type HostBlocker = Extract<Blocker, { kind: "host_taken" }>;
type Unfit = Extract<Blocker, { kind: "unfit_gpus" }>;
type Blacklisted = Extract<Blocker, { kind: "blacklisted" }>;
type AgentLimit = Extract<Blocker, { kind: "agent_limit" }>;
type CpuLimit = Extract<Blocker, { kind: "cpu_limit" }>;

const SECONDS_A_MINUTE = 60;

const join = (parts: readonly (string | number)[]): string =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;

const nameJob = ({ id, user }: Pick<Job, "id" | "user">): string => `job ${id} of ${user}`;

const nameGpus = (indexes: readonly number[]): string =>
  indexes.length === 0 ? "no GPU" : `GPU ${join(indexes.toSorted((a, b) => a - b))}`;

const beFor = (count: number): string => (count === 1 ? "is" : "are");

const countGpus = (count: number): string => (count === 1 ? "1 GPU" : `${count} GPUs`);

const countCpuJobs = (count: number): string => (count === 1 ? "1 CPU job" : `${count} CPU jobs`);

const describeLimit = ({ maxPassedOverS }: WaitNotes): string =>
  maxPassedOverS < SECONDS_A_MINUTE ? `${maxPassedOverS} s` : `${Math.round(maxPassedOverS / SECONDS_A_MINUTE)} min`;

const describeProcess = (pid: number, { owners }: WaitNotes): string => {
  const owner = owners.get(pid);
  if (pid === 0) return "a process that the driver does not name";
  return owner === undefined ? `process ${pid}` : `process ${pid} (${owner.program}) of ${owner.user}`;
};

const describeRight = ({ noPassing }: Pick<Job, "noPassing">, notes: WaitNotes): string =>
  noPassing === true ? "no other may pass" : `has waited for more than ${describeLimit(notes)}`;

const describeAllocation = ({ kind, job }: Allocation, notes: WaitNotes): string =>
  kind === "start"
    ? `goes to ${nameJob(job)}, which starts before it`
    : `is kept for ${nameJob(job)}, which ${describeRight(job, notes)}`;

const describeObstacle = (obstacle: Obstacle, notes: WaitNotes): string => {
  switch (obstacle.kind) {
    case "blacklist":
      return "is blacklisted";
    case "reserved":
      return describeReserve(obstacle.reserve);
    case "job":
      return `runs ${nameJob(obstacle.job)}`;
    case "fault":
      return `is out of order (${obstacle.fault})`;
    case "unseen_use":
      return `is in use by others (process not visible): ${obstacle.sign}`;
    case "processes":
      return `is used by ${join(obstacle.pids.map((pid) => describeProcess(pid, notes)))}`;
    case "vram":
      return `has room for ${formatMib(obstacle.roomMib)}${obstacle.jobs.length === 0 ? "" : ` beside ${join(obstacle.jobs.map(nameJob))}`}`;
    case "allocation":
      return describeAllocation(obstacle.allocation, notes);
  }
};

const describeCandidate = ({ index, obstacle }: Candidate, notes: WaitNotes): readonly string[] =>
  obstacle === null ? [] : [`GPU ${index} ${describeObstacle(obstacle, notes)}`];

const countFree = (free: readonly number[]): string =>
  free.length === 0 ? "none is free" : `only ${nameGpus(free)} ${beFor(free.length)} free`;

const describeKeeping = ({ noPassing }: Job, notes: WaitNotes): string =>
  noPassing === true
    ? "what comes free is kept for it, as no other may pass it"
    : `what comes free is kept for it, as it has waited for more than ${describeLimit(notes)}`;

const describeAsked = (job: QueuedJob): string => `It needs ${countGpus(job.numGpus)}${describeKind(job)}`;

const describeTaken = (job: QueuedJob, { candidates, isKeeping }: Taken, notes: WaitNotes): string => {
  const inOrder = candidates.toSorted((a, b) => a.index - b.index);
  const free = inOrder.filter(({ obstacle }) => obstacle === null).map(({ index }) => index);
  const facts = inOrder.flatMap((one) => describeCandidate(one, notes));
  const all = isKeeping ? [...facts, describeKeeping(job, notes)] : facts;
  return `${describeAsked(job)}, and ${countFree(free)}: ${all.join("; ")}`;
};

const describeUnfit = (job: QueuedJob, { fitting }: Unfit): string =>
  `${describeAsked(job)}, and ${fitting === 0 ? "none of the machine's is such a one" : `the machine has ${fitting}`}`;

const describeBlacklisted = (numGpus: number, { allowed, blacklisted }: Blacklisted): string =>
  `It needs ${countGpus(numGpus)}, and may have ${allowed}: ${nameGpus(blacklisted)} ${beFor(blacklisted.length)} blacklisted`;

const describeStart = (numGpus: number, { gpuHint }: WaitNotes): string =>
  `Nothing keeps it waiting: it starts now${numGpus > 0 && gpuHint !== null ? ` (${gpuHint})` : ""}`;

const describeHostTaken = (job: QueuedJob, blocker: HostBlocker, notes: WaitNotes): string => {
  const facts = [...listHolderTexts(blocker), ...(blocker.isKeeping ? [describeKeeping(job, notes)] : [])];
  return `It ${describeShortage(blocker)}${facts.length === 0 ? "" : `: ${facts.join("; ")}`}`;
};

const describeCpuLimit = ({ running, before, kept, limit }: CpuLimit): string => {
  const earlier = before === 0 ? "" : ` and ${before} ${before === 1 ? "starts" : "start"} before it`;
  const place =
    kept === 0 ? "" : `, and ${countCpuJobs(kept)} that others have passed for long ${kept === 1 ? "is" : "are"} next`;
  return `max_cpu_jobs is ${limit}: ${countCpuJobs(running)} ${running === 1 ? "runs" : "run"}${earlier}${place}`;
};

const describeAgentLimit = ({ share, used, hasSpent }: AgentLimit): string =>
  hasSpent
    ? `${share.user} is an agent and has used the ${share.gpuHours} GPU hours that it may have in 24 hours`
    : `${share.user} is an agent that may have ${countGpus(share.gpus)} at once: its jobs have ${used}, or get them first`;

const describeUse = (job: QueuedJob, blocker: Taken | HostBlocker, notes: WaitNotes): string =>
  blocker.kind === "gpus_taken" ? describeTaken(job, blocker, notes) : describeHostTaken(job, blocker, notes);

const describeLimitOf = (blocker: AgentLimit | CpuLimit): string =>
  blocker.kind === "agent_limit" ? describeAgentLimit(blocker) : describeCpuLimit(blocker);

const describeBlocker = (job: QueuedJob, blocker: Exclude<Blocker, Ineligibility>, notes: WaitNotes): string => {
  switch (blocker.kind) {
    case "disk_low":
    case "machine":
      return `Nothing starts: ${blocker.kind === "machine" ? blocker.trouble : describeDiskRoom(blocker.disk)}`;
    case "gpus_unreadable":
      return `No GPU job can start: ${notes.gpuError ?? "the GPUs can't be read"}`;
    case "gpus_missing":
      return `It asks for ${nameGpus(blocker.missing)}, and the machine has ${nameGpus(blocker.present)}`;
    case "too_many_gpus":
      return `It needs ${countGpus(job.numGpus)}, and the machine has ${blocker.present}`;
    case "blacklisted":
      return describeBlacklisted(job.numGpus, blocker);
    case "gpus_taken":
    case "host_taken":
      return describeUse(job, blocker, notes);
    case "unfit_gpus":
      return describeUnfit(job, blocker);
    case "agent_limit":
    case "cpu_limit":
      return describeLimitOf(blocker);
  }
};

/** One sentence without its full stop, for people. */
export const describeWait = ({ job, blocker }: Wait, notes: WaitNotes): string => {
  if (blocker === null) return describeStart(job.numGpus, notes);
  return "until" in blocker
    ? describeIneligibility(job, blocker, notes.listNeeds(job.id))
    : describeBlocker(job, blocker, notes);
};
