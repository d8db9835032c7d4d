import type { JobId } from "../jobs/job.ts";

/** `unhealthy` and `recovered` are of the machine. `run_found` and `log_uploaded` change a message that was sent before. */
export type NoticeEvent =
  | "started"
  | "run_found"
  | "completed"
  | "failed"
  | "killed"
  | "log_uploaded"
  | "batch_done"
  | "unhealthy"
  | "recovered";

type Secrets = Readonly<Record<string, string>>;

/**
 * What someone is to hear of a job. `destination` names the account or address that it goes to, so that one that fails
 * holds up no other. `secrets` are kept sealed until it is delivered or given up.
 */
export type Notice = Readonly<{
  jobId: JobId;
  channel: string;
  event: NoticeEvent;
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
  jobId: JobId;
  channel: string;
  event: NoticeEvent;
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

/** How the jobs that were submitted in one request ended; `failedIds` are the first ten. */
export type Batch = Readonly<{
  total: number;
  completed: number;
  failed: number;
  killed: number;
  removed: number;
  failedIds: readonly string[];
}>;

/** How many messages of a channel are not out yet, and since when the oldest of them. */
export type Backlog = Readonly<{ channel: string; waiting: number; since: number }>;

/** What is older than `createdBefore` is given up, what was finished before `finishedBefore` dropped. */
export type Expiry = Readonly<{ now: number; createdBefore: number; finishedBefore: number }>;

/** `listHeads` has, of each destination, the message that is due first. Interrupted ones were being sent when a server ended. */
export type OutboxReads = Readonly<{
  listHeads: () => readonly OutboxMessage[];
  listOfJob: (id: JobId) => readonly OutboxMessage[];
  openSecrets: (id: number) => Secrets;
  findBatch: (id: string) => Batch | null;
  hasInterrupted: () => boolean;
  measure: () => readonly Backlog[];
  hasExpired: (expiry: Expiry) => boolean;
}>;

/**
 * `enqueue` takes a notice of the same job, channel and event only once. `release` makes what still waits for the job's
 * log due now. `expire` returns what it gives up.
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
