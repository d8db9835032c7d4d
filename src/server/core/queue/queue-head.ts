import { rememberEach } from "../../../base/remember-each.ts";
import type { JobBatch } from "../jobs/fields/batches.ts";
import { isSharing } from "../jobs/fields/gpu-kinds.ts";
import type { QueuedJob } from "../jobs/job.ts";
import { type AgentShare, countLeft, findShare, type ShareFacts } from "./agent-share.ts";
import { countLeast } from "./booked-gpus.ts";
import { countRoom } from "./gpu-room.ts";
import { type GpuNeed, type GpuState, listFreeGpus, listOpenGpus } from "./gpu-selection.ts";
import { countBatchLeft, findBatch, type LimitedBatch } from "./limits/batch-limit.ts";
import { countCpuSlots, type QueueFacts } from "./queue-turns.ts";
import { countStartsLeft, countUses, NO_LIMITS, readUse } from "./user-limits.ts";

/** With the share of the agent, and with the batch with a limit, whose jobs alone have this need; null where there is none. */
export type SharedNeed = GpuNeed & Readonly<{ share: AgentShare | null; batch?: LimitedBatch | null }>;

/** How many jobs of one need could start at most; null where none of them starts or keeps a GPU. */
export type CountStarts = (need: SharedNeed) => number | null;

/** Of one need of one user. */
export type CountStartsOf = (need: SharedNeed, user: string) => number | null;

const TIME = "@";

type Kind = readonly [vramMib: number | null, minVramMib: number | null, gpuType: string | null];

const listKind = ({ numGpus, vramMib = null, minVramMib = null, gpuType = null }: GpuNeed): readonly Kind[] =>
  numGpus === 0 || (vramMib ?? minVramMib ?? gpuType) === null
    ? []
    : [[vramMib, minVramMib, gpuType?.toLowerCase() ?? null]];

const nameTime = ({ numGpus, timeLimitS = null }: GpuNeed): string =>
  numGpus === 0 || timeLimitS === null ? "" : `${TIME}${timeLimitS}`;

type NamedNeed = GpuNeed & Partial<Pick<SharedNeed, "share" | "batch">>;

const listNeed = (need: NamedNeed): readonly unknown[] => {
  const { numGpus, requestedGpuIdxs, ignoreBlacklist, share = null, avoidedGpuIdxs = [], batch = null } = need;
  const asked = [numGpus, requestedGpuIdxs.toSorted((a, b) => a - b), numGpus > 0 && ignoreBlacklist];
  const kind = listKind(need);
  if (batch !== null) return [...asked, share, avoidedGpuIdxs, kind[0] ?? null, batch];
  if (avoidedGpuIdxs.length > 0 || kind.length > 0) return [...asked, share, avoidedGpuIdxs, ...kind];
  return share === null ? asked : [...asked, share];
};

/** The same text for jobs that ask the same of the machine: of these, those start that come first, and one keeps GPUs at most. */
export const nameNeed = (need: NamedNeed): string => JSON.stringify(listNeed(need)) + nameTime(need);

/** Of a job, with the share of its agent and the batch with a limit that it is of. */
export const nameNeedOf = (job: GpuNeed & JobBatch & Pick<QueuedJob, "user" | "agent">): string =>
  nameNeed({ ...job, share: findShare(job), batch: findBatch(job) });

type Need = readonly [
  number,
  readonly number[],
  boolean,
  (AgentShare | null)?,
  (readonly number[])?,
  (Kind | null)?,
  LimitedBatch?,
];

/** Of what `nameNeed` wrote. */
export const parseNeed = (name: string): SharedNeed => {
  const end = name.lastIndexOf("]") + 1;
  const [numGpus, requestedGpuIdxs, ignoreBlacklist, share = null, avoidedGpuIdxs = [], kind, batch] = JSON.parse(
    name.slice(0, end),
  ) as Need;
  const [vramMib = null, minVramMib = null, gpuType = null] = kind ?? [];
  const need = { numGpus, requestedGpuIdxs, ignoreBlacklist, share, avoidedGpuIdxs, vramMib, minVramMib, gpuType };
  const timed = end === name.length ? need : { ...need, timeLimitS: Number(name.slice(end + TIME.length)) };
  return batch === undefined ? timed : { ...timed, batch };
};

const countPlaces = (need: GpuNeed, gpus: readonly GpuState[]): number =>
  listFreeGpus(need, gpus).reduce(
    (count, gpu) => count + (isSharing(need) ? Math.floor(countRoom(gpu) / (need.vramMib ?? 1)) : 1),
    0,
  );

/**
 * Which of the queue a decision depends on: of each need the first that this counts, and after them the first that was passed
 * over for too long. A need that can't be met at a job's turn can't be met later in the same decision, as turns only take.
 */
export const createCountStarts = (
  facts: Pick<QueueFacts, "active" | "maxCpuJobs"> & ShareFacts,
  gpus: readonly GpuState[],
): CountStarts =>
  rememberEach((need) => {
    const left = need.share === null ? Number.POSITIVE_INFINITY : countLeft(need.share, facts);
    const ofBatch = countBatchLeft(need.batch ?? null, facts.active);
    const isShut = need.numGpus > 0 && listOpenGpus(need, gpus).length === 0;
    const places = need.numGpus === 0 ? countCpuSlots(facts) : countPlaces(need, gpus);
    if (isShut || Math.min(left, ofBatch) === 0 || (need.numGpus === 0 && places === 0)) return null;
    return Math.min(ofBatch, Math.floor(Math.min(places, left) / Math.max(1, need.numGpus)));
  });

/** The same within the limits of each user; null where those let none start. */
export const limitStarts = (
  count: CountStarts,
  { active, limitsOf = NO_LIMITS }: Pick<QueueFacts, "active" | "limitsOf">,
  gpus: readonly GpuState[],
): CountStartsOf => {
  const uses = countUses(active);
  const isReserved = gpus.some(({ reserves = [] }) => reserves.length > 0);
  const readLeast = rememberEach((need: SharedNeed) => countLeast(need, gpus));
  return (need, user) => {
    const limits = limitsOf(user);
    const asked = isReserved ? { ...need, user } : need;
    if ((limits.maxGpus ?? limits.maxRunning) === null) return count(asked);
    const left = countStartsLeft(readLeast(need), limits, readUse(uses, user));
    const starts = left === 0 ? null : count(asked);
    return starts === null ? null : Math.min(starts, left);
  };
};
