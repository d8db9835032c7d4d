import { type Halt, isStopping } from "../jobs/halt.ts";
import type { ActiveJob, JobId, RunningJob } from "../jobs/job.ts";
import type { JobEvent } from "../jobs/job-transition.ts";
import type { Gpu } from "../queue/gpu.ts";
import { measureUse } from "../queue/gpu-room.ts";

type Excess = Readonly<{ looks: number; farLooks: number }>;

/** Of each job, in how many looks in a row it had more than it booked, and far more. */
export type Excesses = ReadonlyMap<JobId, Excess>;

type Change = Readonly<{ id: JobId; event: Extract<JobEvent, Readonly<{ kind: "measure" | "halt" }>> }>;

/** What a look at the GPUs says of the jobs on them. */
export type VramJudgement = Readonly<{ excesses: Excesses; changes: readonly Change[] }>;

type Facts = Readonly<{ active: readonly ActiveJob[]; gpus: readonly Gpu[]; isEnforced: boolean; before: Excesses }>;

type Use = Readonly<{ usedMib: number; index: number }>;

const FAR = 1.2;
const ENOUGH_LOOKS = 2;
const NONE: Excess = { looks: 0, farLooks: 0 };

const findMostUsed = (job: RunningJob, gpus: readonly Gpu[]): Use | null => {
  const uses = job.gpuIdxs.map((index) => {
    const gpu = gpus.find((one) => one.index === index);
    const usedMib = gpu === undefined ? null : measureUse(gpu, job.id);
    return usedMib === null ? null : { usedMib, index };
  });
  const known = uses.filter((use) => use !== null);
  return known.length < uses.length ? null : (known.toSorted((a, b) => b.usedMib - a.usedMib)[0] ?? null);
};

const countExcess = ({ vramMib = null }: RunningJob, use: Use | null, before: Excess): Excess => {
  if (use === null || vramMib === null) return NONE;
  return {
    looks: use.usedMib > vramMib ? before.looks + 1 : 0,
    farLooks: use.usedMib > FAR * vramMib ? before.farLooks + 1 : 0,
  };
};

const measure = (job: RunningJob, { usedMib }: Use, { looks }: Excess): readonly Change[] => {
  const peak = job.vramPeakMib ?? 0;
  const isOverBooked = looks >= ENOUGH_LOOKS && job.isOverBooked !== true;
  if (usedMib <= peak && !isOverBooked) return [];
  return [{ id: job.id, event: { kind: "measure", vramPeakMib: Math.max(peak, usedMib), isOverBooked } }];
};

const isInTheWay = (job: RunningJob, { index }: Use, { active }: Facts): boolean =>
  active.some(({ id, gpuIdxs }) => id !== job.id && gpuIdxs.includes(index));

const findHalt = (job: RunningJob, use: Use, { farLooks }: Excess, facts: Facts): Halt | null => {
  const isDue = facts.isEnforced && farLooks >= ENOUGH_LOOKS && !isStopping(job) && isInTheWay(job, use, facts);
  return isDue ? { cause: "oom", usedMib: use.usedMib, bookedMib: job.vramMib ?? 0 } : null;
};

/** What the memory that jobs have asks for: what is to be noted and told of them, and which end since others are there. What is not known ends nothing. */
export const judgeVram = (facts: Facts): VramJudgement => {
  const excesses = new Map<JobId, Excess>();
  const changes: Change[] = [];
  for (const job of facts.active) {
    if (job.status !== "running" || job.gpuIdxs.length === 0) continue;
    const use = findMostUsed(job, facts.gpus);
    const excess = countExcess(job, use, facts.before.get(job.id) ?? NONE);
    excesses.set(job.id, excess);
    if (use === null) continue;
    const halt = findHalt(job, use, excess, facts);
    changes.push(...measure(job, use, excess));
    if (halt !== null) changes.push({ id: job.id, event: { kind: "halt", halt } });
  }
  return { excesses, changes };
};
