import type { Parcel } from "./courier.ts";
import type { EndedJob, JobId } from "./job.ts";

type Facts = Readonly<{ nodeName: string; now: number; secrets: Parcel["secrets"] }>;

const LOG = "This is the end of a log.\n";

const createTestJob = ({ nodeName, now }: Facts): EndedJob => ({
  ...{ id: "test" as JobId, status: "completed", command: "nx notify test", user: "nexus", artifactId: null },
  ...{ numGpus: 0, requestedGpuIdxs: [], gpuIdxs: [], priority: 0, integrations: [], notifications: [], envNames: [] },
  ...{ jobrc: null, ignoreBlacklist: false, gitRepoUrl: null, gitBranch: null, gitTag: null, requestDigest: "" },
  ...{ nodeName, createdAt: now, startedAt: now, completedAt: now, dir: "", markedForKill: false, handle: null },
  ...{ wandbUrl: null, notificationMessages: {}, exitCode: 0, errorMessage: null },
});

const createTestMessage = (job: EndedJob, channel: string, { now }: Facts): Parcel["message"] => ({
  ...{ id: 0, jobId: job.id, channel, event: "completed", destination: "", state: "sending", attempts: 1 },
  ...{ isUncertain: false, createdAt: now, dueAt: now, finishedAt: null, error: null, reference: null },
});

/** A message of a job that never was, to see whether a channel works. */
export const createTestParcel = (channel: string, facts: Facts): Parcel => {
  const job = createTestJob(facts);
  return {
    message: createTestMessage(job, channel, facts),
    job,
    secrets: facts.secrets,
    readLog: async () => new TextEncoder().encode(LOG),
    logUrl: null,
    editedReference: null,
    batch: null,
  };
};
