import type { EndedJob } from "../jobs/job.ts";
import { createBlankJob } from "./blank-job.ts";
import type { Parcel } from "./courier.ts";

type Facts = Readonly<{ nodeName: string; now: number; secrets: Parcel["secrets"] }>;

const LOG = "This is the end of a log.\n";

const createTestJob = ({ nodeName, now }: Facts): EndedJob => ({
  ...createBlankJob("test", nodeName, now),
  command: "nx notify test",
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
