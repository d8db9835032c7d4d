import type { Gpu } from "./gpu.ts";

/** Of each kind of GPU the least memory that an idle one was seen with, and of each GPU whether others loaded it at the last look. */
export type UseHistory = Readonly<{
  idleMemory: ReadonlyMap<string, number>;
  wasLoaded: ReadonlyMap<string, boolean>;
}>;

/** `taken` are the GPUs that jobs have. */
export type UseFacts = Readonly<{ taken: ReadonlySet<number>; foreignMemoryMib: number }>;

const BUSY_PERCENT = 10;

export const NO_HISTORY: UseHistory = { idleMemory: new Map(), wasLoaded: new Map() };

const nameGpu = ({ uuid, index }: Gpu): string => uuid ?? String(index);

const isLoaded = ({ utilization }: Gpu): boolean => utilization !== null && utilization > BUSY_PERCENT;

const looksIdle = (gpu: Gpu, { taken, foreignMemoryMib }: UseFacts): boolean =>
  !taken.has(gpu.index) &&
  gpu.processes.length === 0 &&
  !isLoaded(gpu) &&
  (gpu.memoryUsed ?? Infinity) <= foreignMemoryMib;

const learnIdleMemory = (
  known: UseHistory["idleMemory"],
  gpus: readonly Gpu[],
  facts: UseFacts,
): UseHistory["idleMemory"] => {
  const learned = new Map(known);
  for (const gpu of gpus.filter((one) => looksIdle(one, facts)))
    learned.set(gpu.name, Math.min(gpu.memoryUsed ?? 0, learned.get(gpu.name) ?? Infinity));
  return learned;
};

const findUse = (gpu: Gpu, history: UseHistory, facts: UseFacts): Pick<Gpu, "unseenUse" | "doubt"> => {
  const { doubt } = gpu;
  if (facts.taken.has(gpu.index) || gpu.processes.length > 0) return { unseenUse: null, doubt };
  const allowed = facts.foreignMemoryMib + (history.idleMemory.get(gpu.name) ?? 0);
  if ((gpu.memoryUsed ?? 0) > allowed)
    return { unseenUse: `${gpu.memoryUsed} MiB of its memory are taken, and ${allowed} are allowed`, doubt };
  if (!isLoaded(gpu)) return { unseenUse: null, doubt };
  const load = `it is ${gpu.utilization} % busy`;
  return (history.wasLoaded.get(nameGpu(gpu)) ?? true) ? { unseenUse: load, doubt } : { unseenUse: null, doubt: load };
};

/**
 * Others that no process shows are told by memory above what an idle GPU of the kind has, or by load in two looks. A GPU
 * that was never seen before counts as loaded before, one of a job as idle.
 */
export const judgeUse = (
  history: UseHistory,
  gpus: readonly Gpu[],
  facts: UseFacts,
): Readonly<{ history: UseHistory; gpus: readonly Gpu[] }> => {
  const learned = { ...history, idleMemory: learnIdleMemory(history.idleMemory, gpus, facts) };
  const loaded = gpus.map((gpu) => [nameGpu(gpu), !facts.taken.has(gpu.index) && isLoaded(gpu)] as const);
  return {
    history: { ...learned, wasLoaded: new Map([...history.wasLoaded, ...loaded]) },
    gpus: gpus.map((gpu) => ({ ...gpu, ...findUse(gpu, learned, facts) })),
  };
};
