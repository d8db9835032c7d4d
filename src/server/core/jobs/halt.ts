import { formatMib } from "../../../base/sizes.ts";
import { tellDuration } from "../../../base/tell-duration.ts";
import type { RetryCause } from "../../../wire/job-fields/retries.ts";
import { describeStall, type Stall } from "./stall.ts";

/** Why a running job is ended though nobody asked for that: it fails, whatever its command makes of it. */
export type Halt =
  | Readonly<{ cause: "time" | Stall; limitS: number }>
  | Readonly<{ cause: "oom"; usedMib: number; bookedMib: number }>;

/** What a job has of a GPU, and what it said that it would. */
export const describeOveruse = (usedMib: number, bookedMib: number): string =>
  `Used ${formatMib(usedMib)} of GPU memory, booked ${formatMib(bookedMib)}`;

export const describeHalt = (halt: Halt): string => {
  switch (halt.cause) {
    case "time":
      return `Time limit of ${tellDuration(halt.limitS)} reached`;
    case "oom":
      return describeOveruse(halt.usedMib, halt.bookedMib);
    case "idle":
    case "silence":
      return describeStall(halt.cause, halt.limitS);
  }
};

/** Null for what another attempt is of no use against. */
export const findHaltCause = ({ cause }: Halt): RetryCause | null =>
  cause === "idle" || cause === "silence" ? null : cause;

/** It is to be ended, whoever or whatever wants that. */
export const isStopping = ({ markedForKill, halt }: Readonly<{ markedForKill: boolean; halt?: Halt }>): boolean =>
  markedForKill || halt !== undefined;
