import type { Job, JobId } from "../../../core/jobs/job.ts";
import { completeStored } from "../../../core/jobs/stored-job.ts";
import type { BatchNews, JobNews, MachineNews } from "../../../core/notices/news.ts";
import {
  findJobId,
  type JobSubject,
  type KeptSubject,
  type MessageState,
  type OutboxMessage,
  type Subject,
} from "../../../core/notices/outbox.ts";

type SubjectColumns =
  | Readonly<{
      subject: "job";
      event: JobNews["event"] | `${JobNews["event"]} ${number}`;
      job_id: JobId;
      batch_id: null;
    }>
  | Readonly<{ subject: "batch"; event: BatchNews["event"]; job_id: JobId; batch_id: string }>
  | Readonly<{ subject: "machine"; event: MachineNews["event"]; job_id: null; batch_id: null }>;

/** `job_id` of a batch is that of its last job. The event of an attempt ends with its number, so that there is one for each. */
export type OutboxRow = SubjectColumns &
  Readonly<{
    id: number;
    channel: string;
    destination: string;
    state: MessageState;
    attempts: number;
    is_uncertain: number;
    created_at: number;
    due_at: number;
    finished_at: number | null;
    error: string | null;
    reference: string | null;
  }>;

export const OUTBOX_COLUMNS =
  "id, subject, event, job_id, batch_id, channel, destination, state, attempts, is_uncertain, created_at, due_at, finished_at, error, reference";

const readJobEvent = (text: string): Pick<JobSubject, "event" | "attempt"> => {
  const [event, attempt] = text.split(" ");
  return { event: event as JobSubject["event"], ...(attempt === undefined ? {} : { attempt: Number(attempt) }) };
};

const readSubject = (row: SubjectColumns): Subject => {
  switch (row.subject) {
    case "job":
      return { kind: row.subject, ...readJobEvent(row.event), jobId: row.job_id };
    case "batch":
      return { kind: row.subject, event: row.event, batchId: row.batch_id, lastJobId: row.job_id };
    case "machine":
      return { kind: row.subject, event: row.event };
  }
};

export const readMessage = (row: OutboxRow): OutboxMessage => ({
  id: row.id,
  subject: readSubject(row),
  channel: row.channel,
  destination: row.destination,
  state: row.state,
  attempts: row.attempts,
  isUncertain: row.is_uncertain === 1,
  createdAt: row.created_at,
  dueAt: row.due_at,
  finishedAt: row.finished_at,
  error: row.error,
  reference: row.reference,
});

export const writeSubject = (subject: Subject): Readonly<Record<keyof SubjectColumns, string | null>> => ({
  subject: subject.kind,
  event:
    subject.kind === "job" && subject.attempt !== undefined ? `${subject.event} ${subject.attempt}` : subject.event,
  job_id: findJobId(subject),
  batch_id: subject.kind === "batch" ? subject.batchId : null,
});

/** What of the subject is sealed, as JSON; null where there is nothing. */
export const writePayload = (subject: KeptSubject): string | null => {
  switch (subject.kind) {
    case "job":
      return null;
    case "batch":
      return subject.removedJob === null ? null : JSON.stringify(subject.removedJob);
    case "machine":
      return JSON.stringify({ nodeName: subject.nodeName, figures: subject.figures });
  }
};

/** The database is written by `writePayload` alone, so what it wrote is trusted to be what it was given. */
export const readPayload = (subject: Subject, payload: string | null): KeptSubject | null => {
  const kept: object | null = payload === null ? null : JSON.parse(payload);
  switch (subject.kind) {
    case "job":
      return subject;
    case "batch":
      return { ...subject, removedJob: kept === null ? null : (completeStored(kept) as Job) };
    case "machine":
      return kept === null ? null : { ...subject, ...(kept as Pick<MachineNews, "nodeName" | "figures">) };
  }
};
