import { accountWait, isBlocked, type JobWaits } from "../../jobs/fields/waits.ts";
import type { ActiveJob, JobId, QueuedJob } from "../../jobs/job.ts";
import { bookGpus } from "../booked-gpus.ts";
import { findDrain, NO_DRAINS } from "../drain.ts";
import { findReadyAt } from "../eligibility.ts";
import { type Stretch, toStretch, type UseAt } from "../fair-share.ts";
import type { Gpu } from "../gpu.ts";
import type { GpuState } from "../gpu-selection.ts";
import { decideStarts, type QueueFacts, type Start } from "../queue-turns.ts";
import { releaseGpus } from "./release-gpus.ts";

/**
 * A machine and its queue, and how they go on: `see` is how its GPUs look to jobs, `useAt` null where the order is not by use, `lastsOf` how many seconds
 * a job runs in all, null where nobody knows; `moments` are times (Unix seconds) at which something else changes what may start.
 */
export type Scene = Readonly<{
  facts: Omit<QueueFacts, "useOf">;
  gpus: readonly Gpu[];
  see: (gpus: readonly Gpu[], active: readonly ActiveJob[], now: number) => readonly GpuState[];
  useAt: UseAt | null;
  lastsOf: (job: ActiveJob | QueuedJob) => number | null;
  moments: readonly number[];
}>;

export type Foreseen = Readonly<{ id: JobId; at: number }>;

type World = Readonly<{
  now: number;
  queued: readonly QueuedJob[];
  active: readonly ActiveJob[];
  gpus: readonly Gpu[];
  past: readonly Stretch[];
}>;

const MOST_STEPS = 300;

const findEnd = ({ lastsOf }: Scene, job: ActiveJob): number =>
  job.startedAt + (lastsOf(job) ?? Number.POSITIVE_INFINITY);

const listNeeds = ({ after, afterAny }: JobWaits): readonly string[] => [...(after ?? []), ...(afterAny ?? [])];

const freeDependents = (queued: readonly QueuedJob[], active: readonly ActiveJob[], now: number) => {
  const open = new Set<string>([...queued, ...active].map(({ id }) => id));
  return queued.map((job) =>
    job.isWaiting !== true || listNeeds(job).some((id) => open.has(id))
      ? job
      : accountWait({ ...job, isWaiting: false }, now),
  );
};

const endJobs = (scene: Scene, world: World): World => {
  const { now } = world;
  const ended = world.active.filter((job) => findEnd(scene, job) <= now);
  if (ended.length === 0) return world;
  const active = world.active.filter((job) => findEnd(scene, job) > now);
  return {
    ...world,
    active,
    queued: freeDependents(world.queued, active, now),
    gpus: releaseGpus(world.gpus, ended),
    past: [...world.past, ...ended.map((job) => toStretch(job, findEnd(scene, job)))],
  };
};

const beginJob = (states: readonly GpuState[], { job, gpuIdxs }: Start, now: number): ActiveJob => ({
  ...job,
  ...bookGpus(
    job,
    states.filter(({ index }) => gpuIdxs.includes(index)),
  ),
  ...{ status: "starting", startedAt: now, gpuIdxs, dir: "", markedForKill: false },
});

const startJobs = (scene: Scene, world: World): Readonly<{ world: World; starts: readonly Start[] }> => {
  const { now, queued, active, gpus, past } = world;
  const states = scene.see(gpus, active, now);
  const useOf = scene.useAt?.(now, [...past, ...active.map((job) => toStretch(job, now))]) ?? null;
  const starts = decideStarts({ ...scene.facts, queued, active, useOf }, states, now);
  const ids = new Set(starts.map(({ job }) => job.id));
  const started = starts.map((start) => beginJob(states, start, now));
  return {
    starts,
    world: { ...world, queued: queued.filter(({ id }) => !ids.has(id)), active: [...active, ...started] },
  };
};

const findNext = (scene: Scene, { now, queued, active }: World): number => {
  const ends = active.map((job) => Math.max(now, findEnd(scene, job)));
  const ready = queued.flatMap((job) => (isBlocked(job) ? [] : [findReadyAt(job) ?? now]));
  const until = findDrain(scene.facts.drains ?? NO_DRAINS, now)?.until ?? now;
  return Math.min(...ends, ...[...ready, until, ...scene.moments].filter((at) => at > now));
};

/** When jobs start from now on if no other comes, by the decisions that start them, in the order in which they do; at most 300 moments are looked at. */
export const foreseeStarts = function* (scene: Scene, from: number): Generator<readonly Foreseen[], void> {
  const { queued, active } = scene.facts;
  let world: World = { now: from, queued, active, gpus: scene.gpus, past: [] };
  for (let step = 0; step < MOST_STEPS && Number.isFinite(world.now); step++) {
    const { starts, world: next } = startJobs(scene, endJobs(scene, world));
    yield starts.map(({ job }) => ({ id: job.id, at: world.now }));
    world = { ...next, now: findNext(scene, next) };
  }
};
