import { type EndedJob, type JobId, NO_OUTPUTS, UNKNOWN_CODE } from "../jobs/job.ts";
import type { JobParcel } from "./courier.ts";

type Facts = Readonly<{ nodeName: string; now: number; secrets: JobParcel["secrets"] }>;

const LOG = "This is the end of a log.\n";

const createExample = ({ nodeName, now }: Facts): EndedJob => ({
  ...{ id: "test" as JobId, status: "completed", command: "nx notify test", user: "nexus", artifactId: null },
  ...{ numGpus: 0, requestedGpuIdxs: [], gpuIdxs: [], priority: 0, integrations: [], notifications: [], envNames: [] },
  ...{ jobrc: null, ignoreBlacklist: false, gitRepoUrl: null, gitBranch: null, gitTag: null, requestDigest: "" },
  ...{ nodeName, createdAt: now, startedAt: now, completedAt: now, dir: "", markedForKill: false, handle: null },
  ...{ wandbUrl: null, notificationMessages: {}, exitCode: 0, errorMessage: null, notes: [] },
  ...{ code: UNKNOWN_CODE, outputGlobs: null, links: [], outputs: NO_OUTPUTS },
});

/** What a message of a job looks like, by an example, to see whether a channel works. */
export const createTestParcel = (channel: string, facts: Facts): JobParcel => ({
  subject: {
    kind: "job",
    event: "completed",
    job: createExample(facts),
    readLog: async () => new TextEncoder().encode(LOG),
    logUrl: null,
    editedReference: null,
  },
  channel,
  createdAt: facts.now,
  secrets: facts.secrets,
});
