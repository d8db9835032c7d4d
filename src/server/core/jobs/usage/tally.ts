import type { UsageGroup, UsageKey } from "../../../../wire/usage/usage.ts";
import { roundTo } from "./round-to.ts";
import { countGpuSeconds, listStints, type SpentJob, type Stint, type Window } from "./stints.ts";

type Sums = Readonly<
  Record<"gpuSeconds" | "jobs" | "failed" | "waitS" | "started" | "seenSeconds" | "idleSeconds", number>
>;

/** What jobs of one key used together; the key is null of those without. */
export type Tally = ReadonlyMap<string | null, Sums>;

export type TallyAsked = Window & Readonly<{ by: UsageKey }>;

const SECONDS_AN_HOUR = 3600;

const NOTHING: Sums = { gpuSeconds: 0, jobs: 0, failed: 0, waitS: 0, started: 0, seenSeconds: 0, idleSeconds: 0 };

const addSums = (a: Sums, b: Sums): Sums => ({
  gpuSeconds: a.gpuSeconds + b.gpuSeconds,
  jobs: a.jobs + b.jobs,
  failed: a.failed + b.failed,
  waitS: a.waitS + b.waitS,
  started: a.started + b.started,
  seenSeconds: a.seenSeconds + b.seenSeconds,
  idleSeconds: a.idleSeconds + b.idleSeconds,
});

const takePart = (stints: readonly Stint[], gpu: number): readonly Stint[] =>
  stints
    .filter(({ gpuIdxs }) => gpuIdxs.includes(gpu))
    .map(({ gpus, gpuIdxs, ...stint }) => ({ ...stint, gpus: gpus / gpuIdxs.length, gpuIdxs: [gpu] }));

const listShares = (
  job: SpentJob,
  stints: readonly Stint[],
  by: UsageKey,
): readonly (readonly [string | null, readonly Stint[]])[] => {
  switch (by) {
    case "user":
      return [[job.user, stints]];
    case "name":
      return [[job.name, stints]];
    case "batch":
      return [[job.batchId, stints]];
    case "gpu":
      return [...new Set(stints.flatMap(({ gpuIdxs }) => gpuIdxs))].map((gpu) => [String(gpu), takePart(stints, gpu)]);
  }
};

const findFirstStart = ({ past, startedAt }: SpentJob): number | null => past[0]?.startedAt ?? startedAt;

const measure = (job: SpentJob, stints: readonly Stint[], { since, until }: Window): Sums => {
  const first = findFirstStart(job);
  const hasStarted = first !== null && first >= since && first <= until;
  const gpuSeconds = countGpuSeconds(stints);
  return {
    gpuSeconds,
    jobs: 1,
    failed: Number(job.status === "failed"),
    waitS: hasStarted ? Math.max(0, first - job.createdAt) : 0,
    started: Number(hasStarted),
    seenSeconds: job.idleShare === null ? 0 : gpuSeconds,
    idleSeconds: (job.idleShare ?? 0) * gpuSeconds,
  };
};

/** The tally with what more jobs used. */
export const addUsed = (before: Tally, jobs: readonly SpentJob[], asked: TallyAsked): Tally => {
  const sums = new Map(before);
  for (const job of jobs) {
    const stints = listStints(job, asked);
    if (stints.length === 0) continue;
    for (const [key, own] of listShares(job, stints, asked.by))
      sums.set(key, addSums(sums.get(key) ?? NOTHING, measure(job, own, asked)));
  }
  return sums;
};

const HOUR_DIGITS = 2;
const SHARE_DIGITS = 3;

const tellGroup = (key: string | null, sums: Sums): UsageGroup => ({
  key,
  gpu_hours: roundTo(sums.gpuSeconds / SECONDS_AN_HOUR, HOUR_DIGITS),
  jobs: sums.jobs,
  failed: sums.failed,
  mean_wait_s: sums.started === 0 ? null : roundTo(sums.waitS / sums.started, 1),
  idle_share: sums.seenSeconds === 0 ? null : roundTo(sums.idleSeconds / sums.seenSeconds, SHARE_DIGITS),
});

const compareKeys = (a: string | null, b: string | null): number => {
  if (a === b) return 0;
  if (a === null || b === null) return a === null ? 1 : -1;
  return a < b ? -1 : 1;
};

/** Those with the most GPU hours first. */
export const tellTally = (tally: Tally): readonly UsageGroup[] =>
  [...tally]
    .toSorted(([a, one], [b, other]) => other.gpuSeconds - one.gpuSeconds || compareKeys(a, b))
    .map(([key, sums]) => tellGroup(key, sums));
