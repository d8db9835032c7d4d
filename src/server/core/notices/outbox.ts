import type { Job, JobId } from "../jobs/job.ts";
import type { Batch, BatchNews, JobNews, MachineNews } from "./news.ts";

type Secrets = Readonly<Record<string, string>>;

/** With `attempt` it is told once of each. */
export type JobSubject = Readonly<{ kind: "job"; event: JobNews["event"]; jobId: JobId; attempt?: number }>;
type BatchSubject = Readonly<{ kind: "batch"; event: BatchNews["event"]; batchId: string; lastJobId: JobId }>;
type MachineSubject = Readonly<{ kind: "machine"; event: MachineNews["event"] }>;

/** What a message is of, and what happened to it. */
export type Subject = JobSubject | BatchSubject | MachineSubject;

/** `removedJob` is the batch's last one, where that did not end but was removed. */
export type KeptBatchSubject = BatchSubject & Readonly<{ removedJob: Job | null }>;

/** The subject with what of it may be gone when the message is sent. */
export type KeptSubject = JobSubject | KeptBatchSubject | MachineNews;

/**
 * What someone is to hear. `destination` names the account or address that it goes to, so that one that fails holds up no
 * other. `secrets`, and what of the subject may be gone, are kept sealed until it is delivered or given up.
 */
export type Notice = Readonly<{
  subject: KeptSubject;
  channel: string;
  destination: string;
  secrets: Secrets;
  createdAt: number;
  dueAt: number;
}>;

/** A `blocked` message waits for the one before it of the same job and channel. `dead` ones were given up. */
export type MessageState = "blocked" | "pending" | "sending" | "delivered" | "dead";

/**
 * A notice on its way. `isUncertain`: an earlier attempt may have arrived without an answer. `reference` is what the
 * service calls it: a message's id, a file's address.
 */
export type OutboxMessage = Readonly<{
  id: number;
  subject: Subject;
  channel: string;
  destination: string;
  state: MessageState;
  attempts: number;
  isUncertain: boolean;
  createdAt: number;
  dueAt: number;
  finishedAt: number | null;
  error: string | null;
  reference: string | null;
}>;

export type DeliveryOutcome =
  | Readonly<{ kind: "delivered"; at: number; reference: string | null }>
  | Readonly<{ kind: "retry"; dueAt: number; error: string; isUncertain: boolean }>
  | Readonly<{ kind: "dead"; at: number; error: string }>;

/** How many messages of a channel are not out yet, since when the oldest of them, and why that one last was not. */
export type Backlog = Readonly<{ channel: string; waiting: number; since: number; error: string | null }>;

/** What is older than `createdBefore` is given up, what was finished before `finishedBefore` dropped. */
export type Expiry = Readonly<{ now: number; createdBefore: number; finishedBefore: number }>;

/**
 * `listHeads` has, of each destination, the message that is due first. `listOfJob` has those of batches that the job was
 * the last of too. `openSubject` is null where nothing was kept. Interrupted ones were being sent when a server ended.
 */
export type OutboxReads = Readonly<{
  listHeads: () => readonly OutboxMessage[];
  listOfJob: (id: JobId) => readonly OutboxMessage[];
  openSubject: (message: Pick<OutboxMessage, "id" | "subject">) => KeptSubject | null;
  openSecrets: (id: number) => Secrets;
  findBatch: (id: string) => Batch | null;
  hasInterrupted: () => boolean;
  measure: () => readonly Backlog[];
  hasExpired: (expiry: Expiry) => boolean;
}>;

/**
 * `enqueue` takes a notice of the same job, batch or moment of the machine, channel and event only once. `release` makes
 * what still waits for the job's log due now. `expire` returns what it gives up.
 */
export type OutboxChanges = Readonly<{
  enqueue: (notices: readonly Notice[]) => void;
  markSending: (id: number) => void;
  settle: (id: number, outcome: DeliveryOutcome) => void;
  release: (jobId: JobId, now: number) => void;
  openBatch: (id: string, total: number) => void;
  countInBatch: (id: string, jobId: JobId, end: "completed" | "failed" | "killed" | "removed") => Batch | null;
  reclaimInterrupted: () => void;
  expire: (expiry: Expiry) => readonly OutboxMessage[];
}>;

/** The job that the message is of, or the last one of its batch. */
export const findJobId = (subject: Subject): JobId | null => {
  switch (subject.kind) {
    case "job":
      return subject.jobId;
    case "batch":
      return subject.lastJobId;
    case "machine":
      return null;
  }
};
