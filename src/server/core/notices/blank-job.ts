import type { EndedJob, JobId } from "../jobs/job.ts";

/** A job that never was, for messages that tell of no job. `now` in Unix seconds. */
export const createBlankJob = (id: string, nodeName: string, now: number): EndedJob => ({
  ...{ id: id as JobId, status: "completed", command: "", user: "nexus", artifactId: null },
  ...{ numGpus: 0, requestedGpuIdxs: [], gpuIdxs: [], priority: 0, integrations: [], notifications: [], envNames: [] },
  ...{ jobrc: null, ignoreBlacklist: false, gitRepoUrl: null, gitBranch: null, gitTag: null, requestDigest: "" },
  ...{ nodeName, createdAt: now, startedAt: now, completedAt: now, dir: "", markedForKill: false, handle: null },
  ...{ wandbUrl: null, notificationMessages: {}, exitCode: 0, errorMessage: null },
});
