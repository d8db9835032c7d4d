import type { Result } from "../../../base/result.ts";
import type { BatchNews, JobNews, MachineNews } from "./news.ts";
import type { Notice } from "./outbox.ts";

type JobContent = JobNews &
  Readonly<{
    readLog: (lastLines: number | null) => Promise<Uint8Array>;
    logUrl: string | null;
    editedReference: string | null;
  }>;
type BatchContent = BatchNews & Readonly<{ logUrl: string | null }>;

/**
 * A notice with all that its message is made from. `readLog` returns the last lines of the job's log, or its last 10 MiB
 * for null. `logUrl` is where the log, of a batch that of its last job, was uploaded; `editedReference` names the message
 * that this one changes.
 */
export type Parcel<Content = JobContent | BatchContent | MachineNews> = Readonly<{
  subject: Content;
  channel: string;
  createdAt: number;
  secrets: Notice["secrets"];
}>;

export type JobParcel = Parcel<JobContent>;

/** `isFinal`: another attempt would fail too. `isUncertain`: it may have arrived all the same. */
export type DeliveryError = Readonly<{
  message: string;
  isFinal: boolean;
  isUncertain: boolean;
  retryAfterS: number | null;
}>;

/** `reference` is what the service calls what it got, null where it says nothing. */
export type Receipt = Readonly<{ reference: string | null }>;

/** Ends its work soon after `signal` does, and never rejects. */
export type Courier = Readonly<{
  deliver: (parcel: Parcel, signal: AbortSignal) => Promise<Result<Receipt, DeliveryError>>;
}>;

/** By the name of their channel. */
export type Couriers = Readonly<Record<string, Courier>>;
