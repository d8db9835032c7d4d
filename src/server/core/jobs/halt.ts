import { formatMib } from "../../../base/sizes.ts";
import { tellDuration } from "../../../base/tell-duration.ts";

/** Why a running job is ended though nobody asked for that: it fails, whatever its command makes of it. */
export type Halt =
  | Readonly<{ cause: "time"; limitS: number }>
  | Readonly<{ cause: "oom"; usedMib: number; bookedMib: number }>;

/** What a job has of a GPU, and what it said that it would. */
export const describeOveruse = (usedMib: number, bookedMib: number): string =>
  `Used ${formatMib(usedMib)} of GPU memory, booked ${formatMib(bookedMib)}`;

export const describeHalt = (halt: Halt): string =>
  halt.cause === "time"
    ? `Time limit of ${tellDuration(halt.limitS)} reached`
    : describeOveruse(halt.usedMib, halt.bookedMib);

/** It is to be ended, whoever or whatever wants that. */
export const isStopping = ({ markedForKill, halt }: Readonly<{ markedForKill: boolean; halt?: Halt }>): boolean =>
  markedForKill || halt !== undefined;
