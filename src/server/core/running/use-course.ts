import type { Problem, Result } from "../../../base/result.ts";
import type { JobId } from "../jobs/job.ts";
import type { Gpu } from "../queue/gpu.ts";

/** What one GPU did: mean and most utilisation in percent, the most memory in MiB, the mean power in watts; null where that is not known. */
export type GpuFigures = Readonly<{
  meanPercent: number | null;
  peakPercent: number | null;
  memoryMib: number | null;
  powerW: number | null;
}>;

/** So many looks in a row at the same GPUs, the first `ageS` seconds after the attempt's start. */
export type UseSpan = Readonly<{ ageS: number; looks: number; gpus: readonly GpuFigures[] }>;

/** What is known of an attempt: its GPUs, and the spans of its time, the first first. */
export type UseCourse = Readonly<{ gpuIdxs: readonly number[]; spans: readonly UseSpan[] }>;

/** `append` adds a look to what is kept of a job's newest attempt, `read` has what is kept of any; of one of which nothing is, an empty course. */
export type UseCourses = Readonly<{
  append: (id: JobId, gpuIdxs: readonly number[], look: UseSpan) => Result<void, Problem>;
  read: (id: JobId, attempt: number) => Promise<UseCourse>;
}>;

const LEVELS = [
  { withinS: 3600, stepS: 10 },
  { withinS: 86_400, stepS: 60 },
  { withinS: Number.POSITIVE_INFINITY, stepS: 600 },
] as const;

const mix = (a: number | null, b: number | null, [first, second]: readonly [number, number]): number | null => {
  if (a === null || b === null) return a ?? b;
  return (a * first + b * second) / (first + second);
};

const findMost = (a: number | null, b: number | null): number | null => {
  if (a === null || b === null) return a ?? b;
  return Math.max(a, b);
};

const joinFigures = (a: GpuFigures, b: GpuFigures, looks: readonly [number, number]): GpuFigures => ({
  meanPercent: mix(a.meanPercent, b.meanPercent, looks),
  peakPercent: findMost(a.peakPercent, b.peakPercent),
  memoryMib: findMost(a.memoryMib, b.memoryMib),
  powerW: mix(a.powerW, b.powerW, looks),
});

const join = (a: UseSpan, b: UseSpan): UseSpan => ({
  ageS: a.ageS,
  looks: a.looks + b.looks,
  gpus: a.gpus.flatMap((figures, place) => {
    const other = b.gpus[place];
    return other === undefined ? [] : [joinFigures(figures, other, [a.looks, b.looks])];
  }),
});

const findStep = (agoS: number): number => (LEVELS.find(({ withinS }) => agoS <= withinS) ?? LEVELS[2]).stepS;

const joinWithin = (spans: readonly UseSpan[], nowS: number, factor: number): readonly UseSpan[] => {
  const joined: UseSpan[] = [];
  for (const span of spans) {
    const last = joined.at(-1);
    const stepS = findStep(nowS - span.ageS) * factor;
    const isSame = last !== undefined && Math.floor(last.ageS / stepS) === Math.floor(span.ageS / stepS);
    if (isSame) joined[joined.length - 1] = join(last, span);
    else joined.push(span);
  }
  return joined;
};

/** The same time in at most so many spans: of 10 s for the last hour, of a minute for the last day, of ten minutes before; where these are too many, of twice as long, and so on. */
export const coarsen = (spans: readonly UseSpan[], most: number): readonly UseSpan[] => {
  const nowS = spans.at(-1)?.ageS ?? 0;
  for (let factor = 1; ; factor *= 2) {
    const joined = joinWithin(spans, nowS, factor);
    if (joined.length <= Math.max(1, most)) return joined;
  }
};

const NOTHING: GpuFigures = { meanPercent: null, peakPercent: null, memoryMib: null, powerW: null };

const readFigures = (gpu: Gpu | undefined): GpuFigures => {
  if (gpu === undefined) return NOTHING;
  const { utilization, memoryUsed, powerDraw } = gpu;
  return { meanPercent: utilization, peakPercent: utilization, memoryMib: memoryUsed, powerW: powerDraw };
};

/** One look at some GPUs, so many seconds after the start. */
export const toUseSpan = (gpuIdxs: readonly number[], gpus: readonly Gpu[], ageS: number): UseSpan => ({
  ageS,
  looks: 1,
  gpus: gpuIdxs.map((index) => readFigures(gpus.find((gpu) => gpu.index === index))),
});
