import { err, ok, type Result } from "../../../base/result.ts";
import type { AgentLimits } from "../jobs/agent-limits.ts";
import type { ActiveJob, QueuedJob } from "../jobs/job.ts";
import { createLimitReached, type Refusal } from "../refusal.ts";

/** What jobs of one agent may have of the GPUs. */
export type AgentShare = Readonly<{ user: string }> & Pick<AgentLimits, "gpus" | "gpuHours">;

/** What jobs of an agent have: GPUs now, jobs in the queue, seconds of GPUs in the last 24 hours. */
export type AgentUse = Readonly<{ gpus: number; queued: number; gpuSeconds: number }>;

/** Seconds of GPUs that a user's jobs had in the last 24 hours. */
export type CountGpuSeconds = (user: string) => number;

export type ShareFacts = Readonly<{ active: readonly ActiveJob[]; countGpuSeconds?: CountGpuSeconds | undefined }>;

type Asking = Pick<QueuedJob, "numGpus" | "agent"> & Readonly<{ isNow: boolean }>;

const SECONDS_AN_HOUR = 3600;
const WAY_OUT = "wait until some have ended, or take some out with nx remove";

export const findShare = ({
  numGpus,
  user,
  agent,
}: Pick<QueuedJob, "numGpus" | "user" | "agent">): AgentShare | null =>
  agent === undefined || numGpus === 0 ? null : { user, gpus: agent.gpus, gpuHours: agent.gpuHours };

export const countGpusOf = (user: string, active: readonly ActiveJob[]): number =>
  active.reduce((count, job) => (job.user === user ? count + job.gpuIdxs.length : count), 0);

export const hasSpent = ({ user, gpuHours }: AgentShare, { countGpuSeconds }: ShareFacts): boolean =>
  countGpuSeconds !== undefined && countGpuSeconds(user) >= gpuHours * SECONDS_AN_HOUR;

/** How many GPUs jobs of the agent may still be given. */
export const countLeft = (share: AgentShare, facts: ShareFacts): number =>
  hasSpent(share, facts) ? 0 : Math.max(0, share.gpus - countGpusOf(share.user, facts.active));

const roundHours = (hours: number): number => Math.round(hours * 100) / 100;

/** `gpuHours` rounded to the hundredth. */
export const describeUse = (
  { gpus, queued, gpuHours }: AgentLimits,
  use: AgentUse,
): Readonly<Record<"gpus" | "queued" | "gpu_hours", Readonly<{ max: number; used: number; left: number }>>> => {
  const tell = (max: number, used: number) => ({ max, used, left: roundHours(Math.max(0, max - used)) });
  return {
    gpus: tell(gpus, use.gpus),
    queued: tell(queued, use.queued),
    gpu_hours: tell(gpuHours, roundHours(use.gpuSeconds / SECONDS_AN_HOUR)),
  };
};

const describeLeft = (limits: AgentLimits, use: AgentUse): string => {
  const { gpus, queued, gpu_hours: hours } = describeUse(limits, use);
  return `${gpus.left} of ${gpus.max} GPUs at once, ${queued.left} of ${queued.max} queued jobs, ${hours.left} of ${hours.max} GPU hours a day`;
};

type Breach = Readonly<{ limit: string; max: number; asked: number; text: string }>;

const countAtOnce = (jobs: readonly Asking[], use: AgentUse): number => {
  const now = jobs.reduce((sum, { numGpus, isNow }) => (isNow ? sum + numGpus : sum), 0);
  const widest = jobs.reduce((most, { numGpus }) => Math.max(most, numGpus), 0);
  return now === 0 ? widest : Math.max(widest, now + use.gpus);
};

const findBreach = (jobs: readonly Asking[], limits: AgentLimits, use: AgentUse): Breach | null => {
  const { gpus, queued, gpuHours } = limits;
  const widest = countAtOnce(jobs, use);
  const waiting = use.queued + jobs.filter(({ isNow }) => !isNow).length;
  const spent = use.gpuSeconds / SECONDS_AN_HOUR;
  if (widest > gpus) return { limit: "agent_gpus", max: gpus, asked: widest, text: `${widest} GPUs at once` };
  if (waiting > queued) return { limit: "agent_queued", max: queued, asked: waiting, text: `${waiting} queued jobs` };
  return widest > 0 && spent >= gpuHours
    ? { limit: "agent_gpu_hours", max: gpuHours, asked: roundHours(spent), text: "more GPU hours today" }
    : null;
};

const refuse = (user: string, { text, ...reached }: Breach, left: string): Result<never, Refusal> =>
  err(createLimitReached(`${user} is an agent and can't have ${text}; left: ${left}: ${WAY_OUT}`, reached));

/** Whether agents may have these jobs queued besides what they have; `readUse` is of one of them. */
export const checkAgentLimits = (
  jobs: readonly (Asking & Pick<QueuedJob, "user">)[],
  readUse: (user: string) => AgentUse,
): Result<void, Refusal> => {
  for (const [user, own] of Map.groupBy(jobs, (job) => job.user)) {
    const limits = own.find(({ agent }) => agent !== undefined)?.agent;
    if (limits === undefined) continue;
    const use = readUse(user);
    const breach = findBreach(own, limits, use);
    if (breach !== null) return refuse(user, breach, describeLeft(limits, use));
  }
  return ok(undefined);
};
