import { describeGpus, type GpuState, listEligibleGpus, listFreeGpus, selectGpus } from "./gpu-selection.ts";
import type { ActiveJob, JobId, QueuedJob } from "./job.ts";
import { type Action, decideEnding } from "./job-ending.ts";
import { compareStartOrder } from "./job-queue.ts";
import type { Gpu, Observation } from "./ports.ts";

/** `killedSince` holds when TERM was first sent; times and limits in seconds. `gpus` is null while they can't be read. */
export type Snapshot = Readonly<{
  queued: readonly QueuedJob[];
  active: readonly ActiveJob[];
  observations: ReadonlyMap<JobId, Observation>;
  killedSince: ReadonlyMap<JobId, number>;
  gpus: readonly Gpu[] | null;
  blacklist: ReadonlySet<number>;
  maxCpuJobs: number;
  maxPassedOverS: number;
}>;

type Free = Readonly<{ gpus: readonly GpuState[]; cpuSlots: number; actions: readonly Action[] }>;

const takeGpus = (gpus: readonly GpuState[], taken: readonly number[]): readonly GpuState[] =>
  gpus.filter((gpu) => !taken.includes(gpu.index));

const startCpuJob = (free: Free, job: QueuedJob): Free =>
  free.cpuSlots === 0
    ? free
    : { ...free, cpuSlots: free.cpuSlots - 1, actions: [...free.actions, { kind: "start", job, gpuIdxs: [] }] };

const holdGpus = (free: Free, job: QueuedJob, all: readonly GpuState[]): Free => {
  if (listEligibleGpus(job, all).length < job.numGpus) return free;
  const held = listFreeGpus(job, free.gpus).map((gpu) => gpu.index);
  return { ...free, gpus: takeGpus(free.gpus, held) };
};

const decideStarts = (snapshot: Snapshot, all: readonly GpuState[], now: number): readonly Action[] => {
  const cpuJobs = snapshot.active.filter((job) => job.gpuIdxs.length === 0).length;
  let free: Free = { gpus: all, cpuSlots: Math.max(0, snapshot.maxCpuJobs - cpuJobs), actions: [] };
  for (const job of snapshot.queued.toSorted(compareStartOrder)) {
    free = placeJob(free, job, { all, mayHold: now - job.createdAt > snapshot.maxPassedOverS });
  }
  return free.actions;
};

const placeJob = (
  free: Free,
  job: QueuedJob,
  facts: Readonly<{ all: readonly GpuState[]; mayHold: boolean }>,
): Free => {
  if (job.numGpus === 0) return startCpuJob(free, job);
  if (free.gpus.length === 0) return free;
  const gpuIdxs = selectGpus(job, free.gpus);
  if (gpuIdxs === null) return facts.mayHold ? holdGpus(free, job, facts.all) : free;
  return {
    ...free,
    gpus: takeGpus(free.gpus, gpuIdxs),
    actions: [...free.actions, { kind: "start", job, gpuIdxs }],
  };
};

/** What to do now: endings and kills of active jobs, then every start that the rules allow, in start order. */
export const decideActions = (snapshot: Snapshot, now: number): readonly Action[] => {
  const gpus = describeGpus(snapshot.gpus ?? [], snapshot.active, snapshot.blacklist);
  const endings = snapshot.active.flatMap((job) =>
    decideEnding(job, snapshot.observations.get(job.id), { now, killedSince: snapshot.killedSince.get(job.id) }),
  );
  return [...endings, ...decideStarts(snapshot, gpus, now)];
};
