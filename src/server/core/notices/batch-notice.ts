import type { Job } from "../jobs/job.ts";
import { listSecrets, maskJob } from "./mask-secrets.ts";
import type { Batch, Notice } from "./outbox.ts";
import { type NoticeSource, planNotices } from "./plan-notices.ts";

type Secrets = Notice["secrets"];

const REMOVED_JOB = "removed job";

const isDone = ({ total, completed, failed, killed, removed }: Batch): boolean =>
  completed + failed + killed + removed >= total;

/** What is told once all jobs of a batch have ended or were removed; `job` is the last of them. */
export const planBatchNotice = (batch: Batch | null, job: Job, source: NoticeSource): readonly Notice[] =>
  batch !== null && isDone(batch) ? planNotices("batch_done", job, source) : [];

/** The last of the batch is about to be forgotten, so the notice has all that its text needs of it. */
export const planBatchNoticeOfRemoved = (batch: Batch | null, job: Job, source: NoticeSource): readonly Notice[] =>
  planBatchNotice(batch, job, source).map((notice) => ({
    ...notice,
    secrets: { [REMOVED_JOB]: JSON.stringify(maskJob(job, listSecrets(notice.secrets))) },
  }));

/** The job that a digest tells of though it was removed; null where the notice has none. */
export const unpackRemoved = (secrets: Secrets): Job | null => {
  const packed = secrets[REMOVED_JOB];
  return packed === undefined ? null : (JSON.parse(packed) as Job);
};
