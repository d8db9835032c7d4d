import type { WireJob } from "../../../wire/job.ts";

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

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

export const tellUse = (use: SeenUse | undefined): WireJob["gpu_use"] =>
  use === undefined
    ? null
    : {
        mean_percent: round(use.meanPercent, 1),
        peak_percent: round(use.peakPercent, 1),
        idle_share: round(use.idleShare, 3),
      };
