import type { Unavailable } from "./ports.ts";

export const toUnavailableError = (message: string): Error & Unavailable =>
  Object.assign(new Error(message), { kind: "unavailable" as const });

/** Whether what was thrown says that the database can't be read, rather than that there is a bug. */
export const isUnavailable = (error: unknown): error is Error & Unavailable =>
  error instanceof Error && "kind" in error && error.kind === "unavailable";
