import { createGpuSeconds } from "../../changes/agent-use.ts";
import { seeGpus } from "../../changes/read-reserves.ts";
import { isSharing } from "../../core/jobs/fields/gpu-kinds.ts";
import type { ActiveJob, QueuedJob, StartingJob } from "../../core/jobs/job.ts";
import { NO_HOST_RULES } from "../../core/queue/booking/host-part.ts";
import { findDrain } from "../../core/queue/drain.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import type { GpuState } from "../../core/queue/gpu-selection.ts";
import type { SharedNeed } from "../../core/queue/needs/need-name.ts";
import { createCountStarts, limitStarts } from "../../core/queue/queue-head.ts";
import {
  countCpuSlots,
  decideStarts,
  findPassedOverSince,
  type QueueFacts,
  type Start,
} from "../../core/queue/queue-turns.ts";
import { NO_LIMITS } from "../../core/queue/user-limits.ts";
import type { TaskContext, TaskMemory } from "../context.ts";
import { launchJob, recordStart } from "./launch-job.ts";

const KNOWN_FOR_S = 60;

type Given = Start & Readonly<{ gpus: readonly Gpu[] }>;

const launchTracked = async (
  context: TaskContext,
  memory: TaskMemory,
  { started, gpus }: Readonly<{ started: StartingJob; gpus: readonly Gpu[] }>,
): Promise<void> => {
  try {
    await launchJob(context, started, gpus);
  } catch (error) {
    context.log.error("launch failed", { job_id: started.id, message: String(error) });
  } finally {
    memory.launching.delete(started.id);
    context.wakes.running();
  }
};

const beginLaunch = async (context: TaskContext, memory: TaskMemory, start: Given): Promise<void> => {
  const { gpus } = start;
  let started: StartingJob | null = null;
  memory.launching.add(start.job.id);
  try {
    started = await recordStart(context, start);
  } finally {
    if (started === null) memory.launching.delete(start.job.id);
  }
  if (started === null) return;
  memory.gpuUuids.set(started.id, new Map(gpus.map(({ index, uuid }) => [index, uuid])));
  void launchTracked(context, memory, { started, gpus });
};

const forgetEnded = ({ gpuUuids }: TaskMemory, active: readonly ActiveJob[]): void => {
  const ids = new Set(active.map(({ id }) => id));
  for (const id of gpuUuids.keys()) if (!ids.has(id)) gpuUuids.delete(id);
};

const findTrouble = async ({ trouble, log }: TaskContext): Promise<string | null> => {
  const before = trouble.read();
  const found = await trouble.find();
  if (found !== null && found !== before) log.warn("nothing starts", { message: found });
  if (found === null && before !== null) log.info("jobs start again", { message: before });
  return found;
};

const readLimits = ({
  settings,
}: TaskContext): Pick<QueueFacts, "maxCpuJobs" | "maxPassedOverS" | "host" | "limitsOf"> => {
  const { limitsOf = NO_LIMITS, host = NO_HOST_RULES, maxCpuJobs, maxPassedOver: maxPassedOverS } = settings;
  return { maxCpuJobs, maxPassedOverS, host, limitsOf };
};

type Kind = "cpu" | "gpu";

const isOfKind = ({ numGpus }: Pick<QueuedJob, "numGpus">, kind: Kind): boolean => numGpus > 0 === (kind === "gpu");

type Round = Readonly<{ gpus: readonly Gpu[]; kind: Kind; isMixed: boolean }>;

const loadDeciding = (
  { store }: TaskContext,
  facts: Omit<QueueFacts, "queued">,
  { states, since, kind, isMixed }: Omit<Round, "gpus"> & Readonly<{ states: readonly GpuState[]; since: number }>,
): readonly QueuedJob[] => {
  const count = limitStarts(createCountStarts(facts, states), facts, states);
  return store.loadDecidingJobs((need, user) => (isMixed || isOfKind(need, kind) ? count(need, user) : null), since);
};

const startJobs = async (context: TaskContext, memory: TaskMemory, round: Round): Promise<void> => {
  const { store, clock } = context;
  const { gpus } = round;
  const limits = { ...readLimits(context), drains: store.readDrains() };
  const [disk, trouble] = [await context.readDiskRoom(), await findTrouble(context)];
  const now = clock();
  const active = store.loadActiveJobs();
  forgetEnded(memory, active);
  const states = seeGpus(context, { gpus, active, now });
  const countGpuSeconds = createGpuSeconds(store, now);
  const facts = { ...limits, useOf: store.readUseOf(now), active, disk, trouble, countGpuSeconds };
  const queued = loadDeciding(context, facts, { ...round, states, since: findPassedOverSince(facts, now) });
  const starts = decideStarts({ ...facts, queued }, states, now).filter(({ job }) => isOfKind(job, round.kind));
  const give = (start: Start): Given => ({
    ...start,
    gpus: gpus.filter(({ index }) => start.gpuIdxs.includes(index)).toSorted((a, b) => a.index - b.index),
  });
  await Promise.all(starts.map((start) => beginLaunch(context, memory, give(start))));
};

const isMixed = ({ store, settings }: TaskContext): boolean => {
  if (!store.isGpuJobReady()) return false;
  const { limitsOf = NO_LIMITS, host: { bookCpus } = NO_HOST_RULES } = settings;
  const takesPart = ({ cpus, memoryMib, batch }: SharedNeed, user: string): boolean =>
    bookCpus || (cpus ?? memoryMib ?? batch ?? limitsOf(user).maxRunning ?? null) !== null;
  let isAny = false;
  store.loadDecidingJobs((need, user) => {
    isAny ||= need.numGpus > 0 && takesPart(need, user);
    return null;
  }, 0);
  return isAny;
};

const isDrained = ({ store, clock }: TaskContext): boolean => findDrain(store.readDrains(), clock()) !== null;

const startCpuJobsNow = async (context: TaskContext, memory: TaskMemory): Promise<void> => {
  const isBesideGpuJobs = isMixed(context);
  const known = isBesideGpuJobs ? await context.gpus.read() : null;
  const gpus = known?.ok ? known.value : [];
  await startJobs(context, memory, { gpus, kind: "cpu", isMixed: isBesideGpuJobs });
};

/** Starts every CPU job that can start; resolves once that is on disk, the launches go on. */
export const startCpuJobs = async (context: TaskContext, memory: TaskMemory): Promise<number> => {
  const { maxCpuJobs, refreshRate } = context.settings;
  const hasSlots = countCpuSlots({ maxCpuJobs, active: context.store.loadActiveJobs() }) > 0;
  if (hasSlots && !isDrained(context)) await startCpuJobsNow(context, memory);
  return refreshRate * 1000;
};

const hasGpuRoom = async ({ store, gpus }: TaskContext): Promise<boolean> => {
  const known = await gpus.read(KNOWN_FOR_S);
  const alone = store.loadActiveJobs().filter((job) => !isSharing(job));
  const taken = new Set(alone.flatMap((job) => job.gpuIdxs));
  return !known.ok || known.value.some((gpu) => !taken.has(gpu.index));
};

const isGpuWanted = async (context: TaskContext): Promise<boolean> =>
  !isDrained(context) && context.store.isGpuJobReady() && (await hasGpuRoom(context));

/** Like `startCpuJobs` for GPU jobs; a full machine reads neither its queue nor its GPUs but once a minute. */
export const startGpuJobs = async (context: TaskContext, memory: TaskMemory): Promise<number> => {
  const gpus = (await isGpuWanted(context)) ? await context.gpus.readNow() : null;
  if (gpus?.ok) await startJobs(context, memory, { gpus: gpus.value, kind: "gpu", isMixed: isMixed(context) });
  return context.settings.refreshRate * 1000;
};
