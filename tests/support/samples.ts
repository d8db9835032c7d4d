import {
  type ActiveJob,
  type EndedJob,
  type JobHandle,
  type JobId,
  NO_OUTPUTS,
  type QueuedJob,
  type RunningJob,
  type StartingJob,
  UNKNOWN_CODE,
} from "../../src/server/core/jobs/job.ts";
import type { Gpu } from "../../src/server/core/queue/gpu.ts";

export const HANDLE: JobHandle = { kind: "screen", session: "nexus_job_a", pid: 41, startTicks: 7, bootId: "boot" };

export const createQueued = (id: string, overrides: Partial<QueuedJob> = {}): QueuedJob => ({
  status: "queued",
  id: id as JobId,
  command: "python train.py",
  user: "ann",
  artifactId: null,
  numGpus: 1,
  requestedGpuIdxs: [],
  priority: 0,
  integrations: [],
  notifications: [],
  envNames: ["KEY"],
  jobrc: null,
  ignoreBlacklist: false,
  gitRepoUrl: null,
  gitBranch: null,
  gitTag: null,
  nodeName: "atlas",
  createdAt: 100,
  requestDigest: "digest",
  code: UNKNOWN_CODE,
  outputGlobs: null,
  links: [],
  notes: [],
  ...overrides,
});

export const createStarting = (id: string, overrides: Partial<StartingJob> = {}): StartingJob => ({
  ...createQueued(id),
  status: "starting",
  startedAt: 200,
  gpuIdxs: [0],
  dir: `/jobs/${id}`,
  markedForKill: false,
  ...overrides,
});

export const createRunning = (id: string, overrides: Partial<RunningJob> = {}): RunningJob => ({
  ...createStarting(id),
  status: "running",
  wandbUrl: null,
  notificationMessages: {},
  handle: HANDLE,
  ...overrides,
});

export const createEnded = (id: string, overrides: Partial<EndedJob> = {}): EndedJob => ({
  ...createRunning(id),
  status: "completed",
  envNames: [],
  completedAt: 300,
  exitCode: 0,
  errorMessage: null,
  outputs: NO_OUTPUTS,
  ...overrides,
});

export const createActive = (status: ActiveJob["status"], markedForKill: boolean): ActiveJob =>
  status === "starting" ? createStarting("a", { markedForKill }) : createRunning("a", { markedForKill });

export const createGpu = (index: number, processes: readonly number[] = [], overrides: Partial<Gpu> = {}): Gpu => ({
  index,
  uuid: `GPU-${index}`,
  name: "RTX 4090",
  vendor: "nvidia",
  deviceId: null,
  memoryTotal: 24_564,
  memoryUsed: 0,
  utilization: null,
  temperature: null,
  powerDraw: null,
  eccErrors: null,
  recoveryAction: null,
  processes,
  fault: null,
  doubt: null,
  unseenUse: null,
  ...overrides,
});

/** The same value, and all that it holds, can't be changed any more; maps and sets are left as they are. */
export const freeze = <Value>(value: Value): Value => {
  if (value !== null && typeof value === "object") {
    Object.freeze(value);
    Object.values(value).map(freeze);
  }
  return value;
};
