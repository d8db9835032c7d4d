import type { Parcel } from "../../core/notices/courier.ts";
import type { NoticeEvent } from "../../core/notices/news.ts";
import type { JobSubject, KeptBatchSubject, OutboxMessage } from "../../core/notices/outbox.ts";
import { LOG_CHANNEL } from "../../core/notices/plan-notices.ts";
import type { TaskContext } from "../context.ts";

export type Shelf = Pick<TaskContext, "store" | "logs">;

type Content = Parcel["subject"];

const EDITED: Readonly<Partial<Record<NoticeEvent, readonly NoticeEvent[]>>> = {
  run_found: ["started"],
  log_uploaded: ["completed", "failed", "killed"],
};

const findLogUrl = (siblings: readonly OutboxMessage[]): string | null =>
  siblings.find(({ channel }) => channel === LOG_CHANNEL)?.reference ?? null;

const packJob = (
  { store, logs }: Shelf,
  { kind, event, jobId, attempt }: JobSubject,
  channel: string,
): Content | null => {
  const job = store.findJob(jobId);
  if (job === null) return null;
  const siblings = store.outbox.listOfJob(jobId);
  const edited = siblings.find((told) => told.channel === channel && EDITED[event]?.includes(told.subject.event));
  return {
    ...{ kind, event, job },
    ...(attempt === undefined ? {} : { attempt }),
    readLog: (lastLines) => logs.readTail(jobId, lastLines),
    logUrl: findLogUrl(siblings),
    editedReference: edited?.reference ?? null,
  };
};

const packBatch = ({ store }: Shelf, { kind, event, batchId, lastJobId, removedJob }: KeptBatchSubject) => {
  const batch = store.outbox.findBatch(batchId);
  const lastJob = removedJob ?? store.findJob(lastJobId);
  if (batch === null || lastJob === null) return null;
  return { kind, event, batch, lastJob, logUrl: findLogUrl(store.outbox.listOfJob(lastJobId)) };
};

const packSubject = (shelf: Shelf, message: OutboxMessage): Content | null => {
  const subject = shelf.store.outbox.openSubject(message);
  if (subject === null) return null;
  switch (subject.kind) {
    case "job":
      return packJob(shelf, subject, message.channel);
    case "batch":
      return packBatch(shelf, subject);
    case "machine":
      return subject;
  }
};

/** Null where what the message is of is gone. */
export const packMessage = (shelf: Shelf, message: OutboxMessage): Parcel | null => {
  const subject = packSubject(shelf, message);
  const { id, channel, createdAt } = message;
  return subject === null ? null : { subject, channel, createdAt, secrets: shelf.store.outbox.openSecrets(id) };
};
