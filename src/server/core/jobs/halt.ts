import { tellDuration } from "../../../base/tell-duration.ts";

/** Why a running job is ended though nobody asked for that: it fails, whatever its command makes of it. */
export type Halt = Readonly<{ cause: "time"; limitS: number }>;

export const describeHalt = ({ limitS }: Halt): string => `Time limit of ${tellDuration(limitS)} reached`;

/** It is to be ended, whoever or whatever wants that. */
export const isStopping = ({ markedForKill, halt }: Readonly<{ markedForKill: boolean; halt?: Halt }>): boolean =>
  markedForKill || halt !== undefined;
