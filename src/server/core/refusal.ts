import type { ErrorCode, ErrorDetail } from "../../wire/error.ts";

/** `limit` names the setting, `asked` is what it would be. */
export type ReachedLimit = Readonly<{ limit: string; max: number; asked: number }>;

export type Refusal = Readonly<{
  code: ErrorCode;
  message: string;
  reached?: ReachedLimit;
  detail?: readonly ErrorDetail[];
  hint?: string;
}>;

export const createRefusal = (code: ErrorCode, message: string): Refusal => ({ code, message });

export const createLimitReached = (message: string, reached: ReachedLimit): Refusal => ({
  code: "LIMIT_REACHED",
  message,
  reached,
});

export const createUnavailable = ({ message }: Unavailable): Refusal => createRefusal("UNAVAILABLE", message);
/** Where a value stands, as the first steps of the way to a mistake: `["body", 3]` is the fourth item of the body. */
export type Place = ErrorDetail["loc"];

const MAX_DETAILS = 100;

const summarize = (detail: readonly ErrorDetail[]): string => {
  const [first] = detail;
  if (first === undefined) return "The request is not valid";
  const others = detail.length - 1;
  const where = first.loc.slice(1).join(".");
  return `${where === "" ? "" : `${where}: `}${first.msg}${others === 0 ? "" : ` (and ${others} more)`}`;
};

export const createInvalid = (detail: readonly ErrorDetail[]): Refusal => ({
  code: "VALIDATION_ERROR",
  message: summarize(detail),
  detail: detail.slice(0, MAX_DETAILS),
});

const MAX_ID_LENGTH = 64;

/** For what was taken for a job's id, however long. */
export const createUnknownJob = (id: string): Refusal =>
  createRefusal("JOB_NOT_FOUND", `There is no job ${id.slice(0, MAX_ID_LENGTH)}`);

/** Why nothing was written: the disk is full or read-only, or the server is stopping. */
export type Unavailable = Readonly<{ kind: "unavailable"; message: string }>;

export const toUnavailableError = (message: string): Error & Unavailable =>
  Object.assign(new Error(message), { kind: "unavailable" as const });

/** Whether what was thrown says that the database can't be read, rather than that there is a bug. */
export const isUnavailable = (error: unknown): error is Error & Unavailable =>
  error instanceof Error && "kind" in error && error.kind === "unavailable";
