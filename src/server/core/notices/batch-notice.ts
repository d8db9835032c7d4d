import { listSecrets } from "../../../base/secret-names.ts";
import { isEnded, type Job } from "../jobs/job.ts";
import { maskJob } from "./mask-job.ts";
import type { Batch } from "./news.ts";
import type { Notice } from "./outbox.ts";
import { type NoticeSource, planNotices } from "./plan-notices.ts";

const isDone = ({ total, completed, failed, killed, removed }: Batch): boolean =>
  completed + failed + killed + removed >= total;

/**
 * What is told once all jobs of a batch have ended or were removed; `lastJob` is the last of them, as it was then. One that
 * is removed is masked at once, as its secrets go with it.
 */
export const planBatchNotices = (batch: Batch | null, lastJob: Job, source: NoticeSource): readonly Notice[] => {
  if (batch === null || !isDone(batch)) return [];
  const news = { kind: "batch", event: "batch_done", batch } as const;
  if (isEnded(lastJob)) return planNotices({ ...news, lastJob }, source);
  const masked = maskJob(lastJob, listSecrets(source.loadSecrets()));
  return planNotices({ ...news, lastJob: masked }, { ...source, loadSecrets: () => ({}) });
};
