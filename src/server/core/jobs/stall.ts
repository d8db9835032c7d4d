import { tellDuration } from "../../../base/tell-duration.ts";

/** Its GPUs do nothing, or its log does not grow. */
export type Stall = "idle" | "silence";

/** What was told of a stall: how long it had lasted, and when it ends the job, in seconds; null where nothing does. */
export type ToldStall = Readonly<{ forS: number; limitS: number | null }>;

/** Of an attempt, what its owner was told. */
export type ToldStalls = Readonly<{ [Kind in Stall]?: ToldStall }>;

const WORDS = { idle: "GPUs idle for", silence: "Log silent for" } as const;

export const describeStall = (stall: Stall, seconds: number): string => `${WORDS[stall]} ${tellDuration(seconds)}`;

/** How long it has lasted, and what will come of it. */
export const describeToldStall = (stall: Stall, { forS, limitS }: ToldStall): string =>
  `${describeStall(stall, forS)}${limitS === null ? "" : `: the job is ended after ${tellDuration(limitS)}`}`;
