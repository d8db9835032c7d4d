import type { JobId, QueuedJob } from "../../src/server/core/jobs/job.ts";
import type { Gpu } from "../../src/server/core/queue/gpu.ts";
import { nameLimitedOf } from "../../src/server/core/queue/patience/limit-spells.ts";
import type { Reserve } from "../../src/server/core/queue/reservations/reservation.ts";
import type { WaitFacts } from "../../src/server/core/queue/wait.ts";

/** What the contract says of one queued job at one moment; `gpuIdxs` null where it waits, `keptFrom` "already" where GPUs are kept already. */
export type Verdict = Readonly<{
  id: JobId;
  gpuIdxs: readonly number[] | null;
  reason: string | null;
  until: number | null;
  keptFrom: number | "already" | null;
}>;

type Guest = Readonly<{ id: string; bookedMib: number | null; usedMib: number | null }>;
type Host = Readonly<{ cpus: number; memoryMib: number }>;
type Started = Readonly<{ job: QueuedJob; gpus: readonly Gpu[]; part: Host }>;
type Why = Pick<Verdict, "reason" | "until">;

type Scene = Readonly<{
  facts: WaitFacts;
  now: number;
  guests: ReadonlyMap<number, readonly Guest[]>;
  kept: ReadonlySet<number>;
  keptHost: Host;
  keptSlots: number;
  keptFor: readonly QueuedJob[];
  started: readonly Started[];
}>;

/** For so long before a reservation begins, no other's job without a time limit starts there, in seconds. */
export const MARGIN_S = 1000;
const SPARED_MIB = 512;
const A_HAIR = 1e-9;
const SECONDS_AN_HOUR = 3600;

const forever = (reason: string): Why => ({ reason, until: null });

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

const goesBefore = (facts: WaitFacts, a: QueuedJob, b: QueuedJob): number => {
  const used = (job: QueuedJob): number => facts.useOf?.(job.user) ?? 0;
  return (
    b.priority - a.priority ||
    used(a) - used(b) ||
    a.createdAt - b.createdAt ||
    (a.id < b.id ? -1 : Number(a.id > b.id))
  );
};

const measure = ({ users }: Gpu, id: string): number | null => {
  const own = users?.filter(({ jobId }) => jobId === id).map(({ memoryMib }) => memoryMib ?? Number.NaN);
  const used = sum(own ?? [Number.NaN]);
  return Number.isNaN(used) ? null : used;
};

const sharesGpus = ({ vramMib }: QueuedJob): boolean => typeof vramMib === "number";

const guestsOf = ({ guests }: Scene, { index }: Gpu): readonly Guest[] => guests.get(index) ?? [];

const isOfJobsThere = (guests: readonly Guest[], jobId: JobId | null): boolean => guests.some(({ id }) => id === jobId);

const isUsedByOthers = ({ users, processes, unseenUse }: Gpu, guests: readonly Guest[]): boolean => {
  if (unseenUse !== null) return true;
  if (users === undefined) return processes.length > 0 && guests.length === 0;
  return users.some(({ jobId }) => !isOfJobsThere(guests, jobId));
};

const countTaken = (gpu: Gpu, guests: readonly Guest[], memoryUsed: number): number => {
  const isKnownByProcess = gpu.users?.every(({ memoryMib }) => memoryMib !== null) === true;
  if (!isKnownByProcess) return Math.max(sum(guests.map(({ bookedMib }) => bookedMib ?? 0)), memoryUsed);
  const usedByNone = Math.max(0, memoryUsed - sum(guests.map(({ usedMib }) => usedMib ?? 0)));
  return sum(guests.map(({ bookedMib, usedMib }) => Math.max(bookedMib ?? 0, usedMib ?? 0))) + usedByNone;
};

const countRoom = (gpu: Gpu, guests: readonly Guest[]): number =>
  gpu.memoryTotal === null || gpu.memoryUsed === null
    ? Number.NEGATIVE_INFINITY
    : gpu.memoryTotal - SPARED_MIB - countTaken(gpu, guests, gpu.memoryUsed);

const isAskedFor = ({ requestedGpuIdxs }: QueuedJob, { index }: Gpu): boolean =>
  requestedGpuIdxs.length === 0 || requestedGpuIdxs.includes(index);

const isAllowed = ({ facts }: Scene, job: QueuedJob, { index }: Gpu): boolean =>
  job.ignoreBlacklist || !facts.blacklist.has(index);

const isOfKind = ({ gpuType, minVramMib }: QueuedJob, { name, memoryTotal }: Gpu): boolean =>
  name.toLowerCase().includes((gpuType ?? "").toLowerCase()) && (memoryTotal ?? 0) >= (minVramMib ?? 0);

const canBook = ({ vramMib }: QueuedJob, { memoryTotal }: Gpu): boolean =>
  typeof vramMib !== "number" || (memoryTotal ?? 0) - SPARED_MIB >= vramMib;

const isSeenWell = ({ avoidedGpuIdxs }: QueuedJob, { index, fault, doubt }: Gpu): boolean =>
  fault === null && (doubt === null || avoidedGpuIdxs?.includes(index) !== true);

const mayEverHave = (scene: Scene, job: QueuedJob, gpu: Gpu): boolean =>
  isAskedFor(job, gpu) && isAllowed(scene, job, gpu) && isOfKind(job, gpu) && canBook(job, gpu);

const isClosedByOthers = (scene: Scene, job: QueuedJob, gpu: Gpu): boolean =>
  isUsedByOthers(gpu, guestsOf(scene, gpu)) && !(sharesGpus(job) && gpu.sharesWithOthers === true);

const isOpen = (scene: Scene, job: QueuedJob, gpu: Gpu): boolean =>
  isSeenWell(job, gpu) &&
  !isReservedFromIt(scene, job, gpu) &&
  !isClosedByOthers(scene, job, gpu) &&
  guestsOf(scene, gpu).every(({ bookedMib }) => bookedMib !== null);

const isFree = (scene: Scene, job: QueuedJob, gpu: Gpu): boolean => {
  const guests = guestsOf(scene, gpu);
  if (!isOpen(scene, job, gpu)) return false;
  return typeof job.vramMib === "number" ? job.vramMib <= countRoom(gpu, guests) : guests.length === 0;
};

const closesFrom = ({ leadS, isNear }: Reserve, { timeLimitS = null }: QueuedJob): boolean =>
  leadS <= 0 || (timeLimitS === null ? isNear : leadS < timeLimitS);

const listReserves = ({ facts }: Scene, { index }: Gpu): readonly Reserve[] => facts.reserves?.get(index) ?? [];

const isReservedFromIt = (scene: Scene, job: QueuedJob, gpu: Gpu): boolean =>
  listReserves(scene, gpu).some((one) => one.reservation.user !== job.user && closesFrom(one, job));

const isItsOwnReserve = (scene: Scene, job: QueuedJob, gpu: Gpu): boolean =>
  listReserves(scene, gpu).some(({ leadS, reservation }) => leadS <= 0 && reservation.user === job.user);

const listGpus = (scene: Scene, isSo: (gpu: Gpu) => boolean): readonly Gpu[] => (scene.facts.gpus ?? []).filter(isSo);

const listFree = (scene: Scene, job: QueuedJob): readonly Gpu[] =>
  listGpus(scene, (gpu) => mayEverHave(scene, job, gpu) && !scene.kept.has(gpu.index) && isFree(scene, job, gpu));

const rankOfSharer = (scene: Scene, gpu: Gpu): readonly number[] => {
  const guests = guestsOf(scene, gpu);
  return guests.length > 0 ? [0, countRoom(gpu, guests)] : [1, 0];
};

const sizeOf = ({ memoryTotal }: Gpu): number => memoryTotal ?? Number.POSITIVE_INFINITY;

const isChoosy = ({ minVramMib, gpuType }: QueuedJob): boolean =>
  typeof minVramMib === "number" || typeof gpuType === "string";

const rankOfAlone = (job: QueuedJob, gpu: Gpu): readonly number[] => [
  gpu.doubt === null ? 0 : 1,
  isChoosy(job) ? sizeOf(gpu) : 0,
];

const rankGpu = (scene: Scene, job: QueuedJob, gpu: Gpu): readonly number[] => {
  const hasFailedIt = job.avoidedGpuIdxs?.includes(gpu.index) === true ? 1 : 0;
  const isOnBlacklist = scene.facts.blacklist.has(gpu.index) ? 1 : 0;
  const wished = [hasFailedIt, isOnBlacklist, isItsOwnReserve(scene, job, gpu) ? 0 : 1];
  if (!sharesGpus(job)) return [...wished, ...rankOfAlone(job, gpu), gpu.index];
  return [...wished, ...rankOfSharer(scene, gpu), sizeOf(gpu), gpu.index];
};

const compareRanks = (a: readonly number[], b: readonly number[]): number => {
  for (const [place, rank] of a.entries()) if (rank !== b[place]) return rank - (b[place] ?? 0);
  return 0;
};

const putInOrder = (scene: Scene, job: QueuedJob, gpus: readonly Gpu[]): readonly Gpu[] =>
  gpus.toSorted((a, b) => compareRanks(rankGpu(scene, job, a), rankGpu(scene, job, b)));

const partOf = ({ vramMib }: QueuedJob, { memoryTotal }: Gpu): number =>
  typeof vramMib === "number" ? vramMib / (memoryTotal ?? vramMib) : 1;

const countParts = (job: QueuedJob, gpus: readonly Gpu[]): number => sum(gpus.map((gpu) => partOf(job, gpu)));

const ENDLESS: Host = { cpus: Number.POSITIVE_INFINITY, memoryMib: Number.POSITIVE_INFINITY };
const NOTHING: Host = { cpus: 0, memoryMib: 0 };

const addHosts = (parts: readonly Host[]): Host => ({
  cpus: sum(parts.map(({ cpus }) => cpus)),
  memoryMib: sum(parts.map(({ memoryMib }) => memoryMib)),
});

const countCpusOfGpus = ({ facts }: Scene, parts: number): number => {
  const { whole, bookCpus = false } = facts.host ?? { whole: ENDLESS };
  return bookCpus ? Math.max(1, Math.floor((whole.cpus * parts) / (facts.gpus ?? []).length)) : 0;
};

const partOfHost = (scene: Scene, { cpus, memoryMib, numGpus }: QueuedJob, parts: number): Host => ({
  cpus: cpus ?? (numGpus === 0 ? 1 : countCpusOfGpus(scene, parts)),
  memoryMib: memoryMib ?? 0,
});

const countFreeHost = ({ facts, started, keptHost }: Scene): Host => {
  const { whole } = facts.host ?? { whole: ENDLESS };
  const running = facts.active.map(({ cpus, bookedCpus, memoryMib, gpuIdxs }) => ({
    cpus: bookedCpus ?? cpus ?? (gpuIdxs.length === 0 ? 1 : 0),
    memoryMib: memoryMib ?? 0,
  }));
  const taken = addHosts([...running, ...started.map(({ part }) => part), keptHost]);
  return {
    cpus: Math.max(0, whole.cpus - taken.cpus),
    memoryMib: Math.max(0, whole.memoryMib - taken.memoryMib),
  };
};

const findHostWhy = (scene: Scene, job: QueuedJob, parts: number): Why | null => {
  const [part, free] = [partOfHost(scene, job, parts), countFreeHost(scene)];
  if (part.cpus > free.cpus) return forever("cpus");
  return part.memoryMib > free.memoryMib ? forever("memory") : null;
};

const limitsOf = ({ facts }: Scene, { user }: QueuedJob) =>
  facts.limitsOf?.(user) ?? { maxGpus: null, maxRunning: null };

const isOverMaxRunning = (scene: Scene, { user }: QueuedJob, max: number | null): boolean => {
  const running = scene.facts.active.filter((one) => one.user === user).length;
  const started = scene.started.filter(({ job }) => job.user === user).length;
  return max !== null && running + started + 1 > max;
};

const isOverMaxGpus = (scene: Scene, job: QueuedJob, parts: number): boolean => {
  const { maxGpus } = limitsOf(scene, job);
  const running = scene.facts.active.filter(({ user }) => user === job.user);
  const started = scene.started.filter((one) => one.job.user === job.user);
  const had = sum(running.map(({ bookedGpus, numGpus }) => bookedGpus ?? numGpus));
  const given = sum(started.map((one) => countParts(one.job, one.gpus)));
  return maxGpus !== null && parts > 0 && had + given + parts > maxGpus + A_HAIR;
};

const countLeastParts = (scene: Scene, job: QueuedJob): number => {
  if (!sharesGpus(job)) return job.numGpus;
  const parts = listGpus(scene, (gpu) => mayEverHave(scene, job, gpu) && gpu.fault === null).map((gpu) =>
    partOf(job, gpu),
  );
  return sum(parts.toSorted((a, b) => a - b).slice(0, job.numGpus));
};

type Choice = readonly Gpu[] | "too few" | "over the limit";

const chooseGpus = (scene: Scene, job: QueuedJob): Choice => {
  const free = listFree(scene, job);
  if (free.length < job.numGpus) return "too few";
  const preferred = putInOrder(scene, job, free).slice(0, job.numGpus);
  const parts = countParts(job, preferred);
  if (!isOverMaxGpus(scene, job, parts) && findHostWhy(scene, job, parts) === null) return preferred;
  const largest = putInOrder(scene, job, free).toSorted((a, b) => (b.memoryTotal ?? 0) - (a.memoryTotal ?? 0));
  const asLittle = largest.slice(0, job.numGpus);
  return isOverMaxGpus(scene, job, countParts(job, asLittle)) ? "over the limit" : asLittle;
};

const isOverLimit = (scene: Scene, job: QueuedJob): boolean =>
  isOverMaxRunning(scene, job, limitsOf(scene, job).maxRunning) ||
  isOverMaxGpus(scene, job, countLeastParts(scene, job)) ||
  chooseGpus(scene, job) === "over the limit";

const findDrain = ({ facts, now }: Scene): Why | null => {
  const drain = facts.drains?.last ?? null;
  if (drain === null || (drain.until !== null && drain.until <= now)) return null;
  return { reason: "drained", until: drain.until };
};

const isOverBatchLimit = ({ facts, started }: Scene, { batchId, batchMax }: QueuedJob): boolean => {
  const all = [...facts.active, ...started.map(({ job }) => job)];
  return typeof batchMax === "number" && all.filter((job) => job.batchId === batchId).length >= batchMax;
};

const notBefore = (scene: Scene, reason: string, time: number): Why | null =>
  time > scene.now ? { reason, until: time } : null;

const findWaitBeforeTurn = (scene: Scene, job: QueuedJob): Why | null =>
  findDrain(scene) ??
  ((job.heldBy ?? null) === null ? null : forever("held")) ??
  notBefore(scene, "begin", job.beginAt ?? 0) ??
  notBefore(scene, "retry", job.past?.retryAt ?? 0) ??
  (job.isWaiting === true ? forever("after") : null) ??
  (isOverBatchLimit(scene, job) ? forever("batch_limit") : null) ??
  (isOverLimit(scene, job) ? forever("user_limit") : null);

const findTrouble = ({ facts }: Scene, job: QueuedJob): Why | null => {
  const disk = facts.disk ?? null;
  if (disk !== null && disk.freeBytes < disk.minBytes) return forever("disk_low");
  if ((facts.trouble ?? null) !== null) return forever("machine");
  return job.numGpus > 0 && facts.gpus === null ? forever("gpus_unreadable") : null;
};

const findImpossible = (scene: Scene, job: QueuedJob): Why | null => {
  const present = scene.facts.gpus ?? [];
  if (job.requestedGpuIdxs.some((index) => !present.some((gpu) => gpu.index === index))) return forever("gpus_missing");
  if (present.length < job.numGpus) return forever("too_many_gpus");
  const ofKind = present.filter((gpu) => isAskedFor(job, gpu) && isOfKind(job, gpu));
  if (ofKind.length < job.numGpus) return forever("gpu_type");
  const fitting = ofKind.filter((gpu) => canBook(job, gpu));
  if (fitting.length < job.numGpus) return forever("vram");
  return fitting.filter((gpu) => isAllowed(scene, job, gpu)).length < job.numGpus ? forever("blacklisted") : null;
};

const isOverAgentLimit = ({ facts, started }: Scene, { agent, user, numGpus }: QueuedJob): boolean => {
  if (agent === undefined || numGpus === 0) return false;
  const running = sum(facts.active.filter((job) => job.user === user).map(({ gpuIdxs }) => gpuIdxs.length));
  const given = sum(started.filter(({ job }) => job.user === user).map(({ gpus }) => gpus.length));
  const hasSpent = (facts.countGpuSeconds?.(user) ?? -1) >= agent.gpuHours * SECONDS_AN_HOUR;
  return hasSpent || running + given + numGpus > agent.gpus;
};

const wouldStart = (scene: Scene, job: QueuedJob): boolean => listFree(scene, job).length >= job.numGpus;

const isOnlyMemoryMissing = (scene: Scene, job: QueuedJob): boolean =>
  listGpus(scene, (gpu) => mayEverHave(scene, job, gpu) && !scene.kept.has(gpu.index) && isOpen(scene, job, gpu))
    .length >= job.numGpus;

const findReservesInTheWay = (scene: Scene, job: QueuedJob): readonly (readonly [Gpu, Reserve])[] =>
  listGpus(scene, (gpu) => mayEverHave(scene, job, gpu)).flatMap((gpu) => {
    const one = listReserves(scene, gpu).find(
      (reserve) => reserve.reservation.user !== job.user && closesFrom(reserve, job),
    );
    return one === undefined ? [] : [[gpu, one] as const];
  });

const findReserved = (scene: Scene, job: QueuedJob): Why | null => {
  const inTheWay = findReservesInTheWay(scene, job);
  const others = listGpus(scene, (gpu) => isAskedFor(job, gpu) && isOfKind(job, gpu) && canBook(job, gpu));
  const unreserved: Scene = { ...scene, facts: { ...scene.facts, reserves: new Map() } };
  const standing = others.length - inTheWay.length;
  const isLacking = standing < job.numGpus || wouldStart(unreserved, job);
  if (inTheWay.length === 0 || !isLacking) return null;
  const missing = job.numGpus - (standing < job.numGpus ? standing : listFree(scene, job).length);
  const ends = inTheWay.map(([, { reservation }]) => reservation.until).toSorted((a, b) => a - b);
  return { reason: "reserved", until: ends[Math.max(0, missing - 1)] ?? null };
};

const findTaken = (scene: Scene, job: QueuedJob): Why => {
  if (isChoosy(job) && wouldStart(scene, { ...job, gpuType: null, minVramMib: null })) return forever("gpu_type");
  if (sharesGpus(job) && isOnlyMemoryMissing(scene, job)) return forever("vram");
  return findReserved(scene, job) ?? forever("gpus_taken");
};

const countCpuJobs = ({ facts, started, keptSlots }: Scene): number =>
  facts.active.filter(({ gpuIdxs }) => gpuIdxs.length === 0).length +
  started.filter(({ gpus }) => gpus.length === 0).length +
  keptSlots;

const findWhy = (scene: Scene, job: QueuedJob): Why | null => {
  const first = findWaitBeforeTurn(scene, job) ?? findTrouble(scene, job);
  if (first !== null) return first;
  if (job.numGpus === 0)
    return countCpuJobs(scene) >= scene.facts.maxCpuJobs ? forever("cpu_limit") : findHostWhy(scene, job, 0);
  const never = findImpossible(scene, job);
  if (never !== null) return never;
  if (isOverAgentLimit(scene, job)) return forever("agent_limit");
  const choice = chooseGpus(scene, job);
  if (typeof choice !== "string") return findHostWhy(scene, job, countParts(job, choice));
  const taken = findTaken(scene, job);
  return taken.reason === "reserved" ? (findHostWhy(scene, job, countLeastParts(scene, job)) ?? taken) : taken;
};

type Times = Readonly<{ from: number; to: number }>;

const listDrained = ({ facts, now }: Scene): readonly Times[] => {
  const { last = null, past = [] } = facts.drains ?? {};
  return last === null ? past : [...past, { from: last.since, to: Math.min(now, last.until ?? now) }];
};

const listOverLimit = ({ facts, now }: Scene, job: QueuedJob): readonly Times[] => {
  const { since = null, past = [] } = facts.limited?.[nameLimitedOf(job)] ?? {};
  return since === null ? past : [...past, { from: since, to: now }];
};

const countOutside = (times: readonly Times[], { from, to }: Times): number => {
  const marks = [...new Set([from, to, ...times.flatMap((one) => [one.from, one.to])])].filter(
    (mark) => mark >= from && mark <= to,
  );
  const parts = marks.toSorted((a, b) => a - b).flatMap((mark, at, all) => (at === 0 ? [] : [[all[at - 1], mark]]));
  const isOutside = (at: number): boolean => times.every((one) => at < one.from || at >= one.to);
  return sum(parts.map(([begin = 0, end = 0]) => (isOutside(begin) ? end - begin : 0)));
};

const countPassedOver = (scene: Scene, job: QueuedJob): number => {
  const { createdAt, uncountedS = 0, beginAt, past } = job;
  const from = Math.max(createdAt, beginAt ?? 0, past?.retryAt ?? 0) + uncountedS;
  if (from >= scene.now) return scene.now - from;
  return countOutside([...listDrained(scene), ...listOverLimit(scene, job)], { from, to: scene.now });
};

const comesFree = (atFirst: Scene, job: QueuedJob, gpu: Gpu): boolean => {
  if (!mayEverHave(atFirst, job, gpu) || !isSeenWell(job, gpu) || isClosedByOthers(atFirst, job, gpu)) return false;
  if (isReservedFromIt(atFirst, job, gpu)) return false;
  return guestsOf(atFirst, gpu).length > 0 || isFree(atFirst, job, gpu);
};

const findKeptFrom = (atFirst: Scene, job: QueuedJob): Verdict["keptFrom"] => {
  if (listGpus(atFirst, (gpu) => comesFree(atFirst, job, gpu)).length < job.numGpus) return null;
  const { whole } = atFirst.facts.host ?? { whole: ENDLESS };
  const part = partOfHost(atFirst, job, countLeastParts(atFirst, job));
  if (part.cpus > whole.cpus || part.memoryMib > whole.memoryMib) return null;
  if (job.noPassing === true) return "already";
  const left = atFirst.facts.maxPassedOverS - countPassedOver(atFirst, job);
  return left < 0 ? "already" : atFirst.now + left;
};

const TAKEN: readonly (string | null)[] = ["gpus_taken", "gpu_type", "vram", "reserved", "cpus", "memory"];

const tellAsked = (job: QueuedJob): string => {
  const { user, numGpus, requestedGpuIdxs, ignoreBlacklist, agent = null, avoidedGpuIdxs = [] } = job;
  const { vramMib = null, minVramMib = null, gpuType = null, timeLimitS = null, cpus = null, memoryMib = null } = job;
  const gpus = [requestedGpuIdxs.toSorted(), ignoreBlacklist, vramMib, minVramMib, gpuType?.toLowerCase(), timeLimitS];
  return JSON.stringify([user, numGpus, agent, avoidedGpuIdxs, cpus, memoryMib, numGpus > 0 ? gpus : null]);
};

const isKeptForLike = ({ keptFor }: Scene, job: QueuedJob): boolean =>
  keptFor.some((one) => tellAsked(one) === tellAsked(job));

const keepAll = (scene: Scene, job: QueuedJob): Scene => {
  const isItsOpen = (gpu: Gpu): boolean => mayEverHave(scene, job, gpu) && isOpen(scene, job, gpu);
  const free = listFree(scene, job);
  const isEnough = free.length >= job.numGpus;
  const open = isEnough ? putInOrder(scene, job, free).slice(0, job.numGpus) : listGpus(scene, isItsOpen);
  const [part, left] = [partOfHost(scene, job, countLeastParts(scene, job)), countFreeHost(scene)];
  const mine = { cpus: Math.min(part.cpus, left.cpus), memoryMib: Math.min(part.memoryMib, left.memoryMib) };
  const keepsSlot = job.numGpus === 0 && mine.cpus + mine.memoryMib > 0;
  if (part.cpus + part.memoryMib > 0 && isKeptForLike(scene, job)) return scene;
  return {
    ...scene,
    kept: new Set([...scene.kept, ...open.map(({ index }) => index)]),
    keptHost: addHosts([scene.keptHost, mine]),
    keptSlots: scene.keptSlots + (keepsSlot ? 1 : 0),
    keptFor: [...scene.keptFor, job],
  };
};

const enter = (scene: Scene, job: QueuedJob, gpus: readonly Gpu[]): Scene => {
  const guests = new Map(scene.guests);
  for (const gpu of gpus)
    guests.set(gpu.index, [
      ...guestsOf(scene, gpu),
      { id: job.id, bookedMib: job.vramMib ?? null, usedMib: measure(gpu, job.id) },
    ]);
  const part = partOfHost(scene, job, countParts(job, gpus));
  return { ...scene, guests, started: [...scene.started, { job, gpus, part }] };
};

const findGuests = ({ active, gpus }: WaitFacts): Scene["guests"] =>
  new Map(
    (gpus ?? []).map((gpu) => [
      gpu.index,
      active
        .filter(({ gpuIdxs }) => gpuIdxs.includes(gpu.index))
        .map(({ id, vramMib }) => ({ id, bookedMib: vramMib ?? null, usedMib: measure(gpu, id) })),
    ]),
  );

type Step = Readonly<{ scene: Scene; verdict: Verdict }>;

const isHaltedOnly = (scene: Scene, job: QueuedJob, { reason }: Why): boolean => {
  if (reason !== "disk_low" && reason !== "machine") return false;
  return job.numGpus > 0 ? !isOverAgentLimit(scene, job) : countCpuJobs(scene) < scene.facts.maxCpuJobs;
};

const judgeWaiting = (scene: Scene, job: QueuedJob, why: Why, atFirst: Scene): Step => {
  const isImpossible = job.numGpus > 0 && findImpossible(scene, job) !== null;
  const isTaken = TAKEN.includes(why.reason) && !isImpossible;
  const keptFrom = isTaken || isHaltedOnly(scene, job, why) ? findKeptFrom(atFirst, job) : null;
  const verdict = { id: job.id, gpuIdxs: null, ...why, keptFrom: isTaken ? keptFrom : null };
  return { verdict, scene: keptFrom === "already" ? keepAll(scene, job) : scene };
};

const judge = (scene: Scene, job: QueuedJob, atFirst: Scene): Step => {
  const why = findWhy(scene, job);
  if (why !== null) return judgeWaiting(scene, job, why, atFirst);
  const chosen = job.numGpus === 0 ? [] : chooseGpus(scene, job);
  const gpus = typeof chosen === "string" ? [] : chosen;
  const gpuIdxs = gpus.map(({ index }) => index).toSorted((a, b) => a - b);
  return {
    scene: enter(scene, job, gpus),
    verdict: { id: job.id, gpuIdxs, reason: null, until: null, keptFrom: null },
  };
};

/** What the contract says of each queued job, in the order of their turns. */
export const judgeQueue = (facts: WaitFacts, now: number): readonly Verdict[] => {
  const atFirst: Scene = {
    facts,
    now,
    guests: findGuests(facts),
    kept: new Set(),
    keptHost: NOTHING,
    keptSlots: 0,
    keptFor: [],
    started: [],
  };
  let scene = atFirst;
  return facts.queued
    .toSorted((a, b) => goesBefore(facts, a, b))
    .map((job) => {
      const step = judge(scene, job, atFirst);
      ({ scene } = step);
      return step.verdict;
    });
};
