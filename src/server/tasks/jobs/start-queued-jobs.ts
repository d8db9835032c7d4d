import { readQueueFacts } from "../../changes/read-queue-facts.ts";
import { seeGpus } from "../../changes/read-reserves.ts";
import { isSharing } from "../../core/jobs/fields/gpu-kinds.ts";
import type { ActiveJob, QueuedJob, StartingJob } from "../../core/jobs/job.ts";
import { findShare } from "../../core/queue/agent-share.ts";
import { NO_HOST_RULES } from "../../core/queue/booking/host-part.ts";
import { decideFromHead, type LoadHead } from "../../core/queue/decision/decide-from-head.ts";
import { describeSight, isQuiet } from "../../core/queue/decision/quiet.ts";
import { findDrain } from "../../core/queue/drain.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import { findBatch } from "../../core/queue/limits/batch-limit.ts";
import type { SharedNeed } from "../../core/queue/needs/need-name.ts";
import { countCpuSlots, type QueueFacts, type Start } from "../../core/queue/queue-turns.ts";
import { isLimited, NO_LIMITS } from "../../core/queue/user-limits.ts";
import type { TaskContext, TaskMemory } from "../context.ts";
import { launchJob, recordStart } from "./launch-job.ts";
import { KNOWN_FOR_S, listReadyNeeds, noteLimits } from "./note-limits.ts";

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

type Kind = "cpu" | "gpu";
type Machine = Readonly<{ kind: Kind; gpus: readonly Gpu[]; isMixed: boolean }>;

const isOfKind = ({ numGpus }: Pick<QueuedJob, "numGpus">, kind: Kind): boolean => numGpus > 0 === (kind === "gpu");

const createLoad =
  ({ store }: TaskContext, { kind, isMixed }: Machine): LoadHead =>
  (count, since) =>
    store.loadDecidingJobs((need, user) => (isMixed || isOfKind(need, kind) ? count(need, user) : null), since);

const mayBeOverLimit = ({ limitsOf = NO_LIMITS }: Pick<QueueFacts, "limitsOf">, job: QueuedJob): boolean => {
  return findShare(job) !== null || findBatch(job) !== null || isLimited(limitsOf(job.user));
};

const startJobs = async (context: TaskContext, memory: TaskMemory, machine: Machine): Promise<boolean> => {
  const { kind, gpus } = machine;
  const { store, clock } = context;
  const halts = { disk: await context.readDiskRoom(), trouble: await findTrouble(context) };
  const now = clock();
  const version = store.readVersion();
  const facts = { ...halts, ...readQueueFacts(context, now) };
  forgetEnded(memory, facts.active);
  const states = seeGpus(context, { gpus, active: facts.active, now });
  const sight = `${version} ${describeSight(halts, states)}`;
  if (isQuiet(memory.quiet.get(kind), sight, now)) return false;
  const { starts, quietUntil, queued } = decideFromHead(facts, states, { now, load: createLoad(context, machine) });
  memory.quiet.set(kind, { from: now, until: quietUntil ?? now, sight });
  const give = (start: Start): Given => ({
    ...start,
    gpus: gpus.filter(({ index }) => start.gpuIdxs.includes(index)).toSorted((a, b) => a.index - b.index),
  });
  const own = starts.filter(({ job }) => isOfKind(job, kind));
  await Promise.all(own.map((start) => beginLaunch(context, memory, give(start))));
  return own.length > 0 && queued.some((job) => mayBeOverLimit(facts, job));
};

const isDrained = ({ store, clock }: TaskContext): boolean => findDrain(store.readDrains(), clock()) !== null;

const findMixed = ({ store, settings }: TaskContext): boolean => {
  if (!store.isGpuJobReady()) return false;
  const { limitsOf = NO_LIMITS, host: { bookCpus } = NO_HOST_RULES } = settings;
  const takesPart = ({ cpus, memoryMib, batch }: SharedNeed, user: string): boolean =>
    bookCpus || (cpus ?? memoryMib ?? batch ?? limitsOf(user).maxRunning ?? null) !== null;
  return listReadyNeeds(store).some(({ need, user }) => need.numGpus > 0 && takesPart(need, user));
};

const isMixed = (context: TaskContext, { mixed }: TaskMemory): boolean => {
  const version = context.store.readVersion();
  const known = mixed.get(version);
  if (known !== undefined) return known;
  const found = findMixed(context);
  mixed.clear();
  mixed.set(version, found);
  return found;
};

const startCpuJobsNow = async (context: TaskContext, memory: TaskMemory): Promise<boolean> => {
  const isBesideGpuJobs = isMixed(context, memory);
  const known = isBesideGpuJobs ? await context.gpus.read() : null;
  return startJobs(context, memory, { gpus: known?.ok ? known.value : [], kind: "cpu", isMixed: isBesideGpuJobs });
};

/**
 * Starts every CPU job that can start; resolves once that is on disk, the launches go on. The next look follows at once where
 * what was started may have put a job over a limit for which something was kept.
 */
export const startCpuJobs = async (context: TaskContext, memory: TaskMemory): Promise<number> => {
  const { maxCpuJobs, refreshRate } = context.settings;
  const hasSlots = countCpuSlots({ maxCpuJobs, active: context.store.loadActiveJobs() }) > 0;
  const isFollowed = hasSlots && !isDrained(context) && (await startCpuJobsNow(context, memory));
  await noteLimits(context, memory, "cpu");
  return isFollowed ? 0 : refreshRate * 1000;
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
  const isFollowed =
    gpus?.ok === true &&
    (await startJobs(context, memory, { kind: "gpu", gpus: gpus.value, isMixed: isMixed(context, memory) }));
  await noteLimits(context, memory, "gpu");
  return isFollowed ? 0 : context.settings.refreshRate * 1000;
};
