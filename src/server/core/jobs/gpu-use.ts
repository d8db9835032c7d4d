import type { WireJob } from "../../../wire/job.ts";
import { roundTo } from "./usage/round-to.ts";

/** What was seen of a job's GPUs in so many looks: the mean of all, the most of any, and in what part of the looks none did anything. */
export type SeenUse = Readonly<{ looks: number; meanPercent: number; peakPercent: number; idleShare: number }>;

export const addUse = (before: SeenUse | undefined, more: SeenUse): SeenUse => {
  if (before === undefined) return more;
  const looks = before.looks + more.looks;
  const mix = (a: number, b: number): number => (a * before.looks + b * more.looks) / looks;
  return {
    looks,
    meanPercent: mix(before.meanPercent, more.meanPercent),
    peakPercent: Math.max(before.peakPercent, more.peakPercent),
    idleShare: mix(before.idleShare, more.idleShare),
  };
};

export const tellUse = (use: SeenUse | undefined): WireJob["gpu_use"] =>
  use === undefined
    ? null
    : {
        mean_percent: roundTo(use.meanPercent, 1),
        peak_percent: roundTo(use.peakPercent, 1),
        idle_share: roundTo(use.idleShare, 3),
      };
