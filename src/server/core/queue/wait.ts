import { isSharing } from "../jobs/fields/gpu-kinds.ts";
import type { ActiveJob, JobId, QueuedJob } from "../jobs/job.ts";
import { type DiskRoom, isDiskLow } from "../machine/disk-room.ts";
import { type AgentShare, countGpusOf, findShare, hasSpent } from "./agent-share.ts";
import { describeHostTaken, type HostTaken } from "./booking/host-wait.ts";
import { type Allocation, bookLeastPart } from "./booking/room.ts";
import type { Ineligibility } from "./eligibility.ts";
import type { Gpu } from "./gpu.ts";
import { findUnfit, isChoosy } from "./gpu-kind.ts";
import { countRoom, hasOthers } from "./gpu-room.ts";
import { describeGpus, findDistrust, type GpuState, listWantedGpus, selectGpus } from "./gpu-selection.ts";
import { createIsPassedOver } from "./patience/passed-over.ts";
import {
  countCpuJobs,
  countCpuSlots,
  countShareLeft,
  findKeptFrom,
  listTurns,
  type QueueFacts,
  type Turn,
} from "./queue-turns.ts";
import { findReserve, markReserved, NO_RESERVES, type Reserve, type Reserves } from "./reservations/reservation.ts";

/** `gpus` is null while they can't be read. */
export type WaitFacts = QueueFacts &
  Readonly<{ gpus: readonly Gpu[] | null; blacklist: ReadonlySet<number>; reserves?: Reserves }>;

/** Why a job can't have a GPU now. `vram`: less of its memory is left, beside these jobs, than it books. `allocation`: a job further up starts on it, or it is kept for that job. */
export type Obstacle =
  | Readonly<{ kind: "blacklist" }>
  | Readonly<{ kind: "reserved"; reserve: Reserve }>
  | Readonly<{ kind: "job"; job: ActiveJob }>
  | Readonly<{ kind: "fault"; fault: string }>
  | Readonly<{ kind: "processes"; pids: readonly number[] }>
  | Readonly<{ kind: "unseen_use"; sign: string }>
  | Readonly<{ kind: "vram"; roomMib: number; jobs: readonly ActiveJob[] }>
  | Readonly<{ kind: "allocation"; allocation: Allocation }>;

/** One of the GPUs that the job might be given; null when it is free for it. */
export type Candidate = Readonly<{ index: number; obstacle: Obstacle | null }>;

/** `gpu_type`: GPUs of another kind would be free; `vram`: memory is all that is missing; `reserved`: GPUs that are reserved for others. */
export type TakenReason = "gpus_taken" | "gpu_type" | "vram" | "reserved";

type Keeping = Readonly<{ keptFrom: number | null; isKeeping: boolean }>;

/** The first fact that keeps a job waiting, those first that no ending of other jobs would change. */
export type Blocker =
  | Ineligibility
  | Readonly<{ kind: "disk_low"; disk: DiskRoom }>
  | Readonly<{ kind: "machine"; trouble: string }>
  | Readonly<{ kind: "gpus_unreadable" }>
  | Readonly<{ kind: "gpus_missing"; missing: readonly number[]; present: readonly number[] }>
  | Readonly<{ kind: "too_many_gpus"; present: number }>
  | Readonly<{ kind: "blacklisted"; allowed: number; blacklisted: readonly number[] }>
  | Readonly<{ kind: "unfit_gpus"; reason: "gpu_type" | "vram"; fitting: number }>
  | (Readonly<{
      kind: "gpus_taken";
      reason: TakenReason;
      reservedUntil: number | null;
      candidates: readonly Candidate[];
    }> &
      Keeping)
  | (HostTaken & Keeping)
  | Readonly<{ kind: "agent_limit"; share: AgentShare; used: number; hasSpent: boolean }>
  | Readonly<{ kind: "cpu_limit"; running: number; before: number; kept: number; limit: number }>;

/** `position` counts from 0 among the queued jobs of the facts. `blocker` is null when the job starts now. */
export type Wait = Readonly<{ job: QueuedJob; position: number; blocker: Blocker | null }>;

type Scene = Readonly<{ facts: WaitFacts; all: readonly GpuState[]; now: number }>;

const findOwner = ({ facts }: Scene, { job }: Turn, { tenants }: GpuState): ActiveJob | undefined => {
  const inTheWay = isSharing(job) ? tenants.find(({ bookedMib }) => bookedMib === null) : tenants[0];
  return facts.active.find(({ id }) => id === inTheWay?.id);
};

const findStrangers = ({ job }: Turn, gpu: GpuState): Obstacle | null => {
  if (!hasOthers(gpu) || (isSharing(job) && gpu.sharesWithOthers === true)) return null;
  const others = gpu.users?.filter(({ jobId }) => !gpu.tenants.some(({ id }) => id === jobId)).map(({ pid }) => pid);
  if (gpu.processes.length > 0) return { kind: "processes", pids: others ?? gpu.processes };
  return gpu.unseenUse === null ? null : { kind: "unseen_use", sign: gpu.unseenUse };
};

const findShortage = ({ facts }: Scene, { job, room }: Turn, gpu: GpuState): Obstacle | null => {
  const allocation = room.allocations.findLast(({ gpuIdxs }) => gpuIdxs.includes(gpu.index));
  const left = room.gpus.find(({ index }) => index === gpu.index);
  if (allocation !== undefined && (left === undefined || !isSharing(job))) return { kind: "allocation", allocation };
  const roomMib = left === undefined ? 0 : countRoom(left);
  if (!isSharing(job) || roomMib >= (job.vramMib ?? 0)) return null;
  return { kind: "vram", roomMib, jobs: facts.active.filter(({ id }) => gpu.tenants.some((one) => one.id === id)) };
};

const findObstacle = (scene: Scene, turn: Turn, gpu: GpuState): Obstacle | null => {
  if (gpu.isBlacklisted && !turn.job.ignoreBlacklist) return { kind: "blacklist" };
  const reserve = findReserve(turn.job, gpu);
  if (reserve !== null) return { kind: "reserved", reserve };
  const owner = findOwner(scene, turn, gpu);
  if (owner !== undefined) return { kind: "job", job: owner };
  const fault = gpu.fault ?? findDistrust(turn.job, gpu);
  if (fault !== null) return { kind: "fault", fault };
  return findStrangers(turn, gpu) ?? findShortage(scene, turn, gpu);
};

const isForReserve = ({ job, room }: Turn, candidates: readonly Candidate[]): boolean => {
  const others = candidates.filter(({ obstacle }) => obstacle?.kind !== "reserved").length;
  if (others === candidates.length) return false;
  return others < job.numGpus || selectGpus(job, markReserved(room.gpus, NO_RESERVES)) !== null;
};

const findTakenReason = (turn: Turn, candidates: readonly Candidate[]): TakenReason => {
  const { job, room } = turn;
  const anyKind = { ...job, gpuType: null, minVramMib: null };
  if (isChoosy(job) && selectGpus(anyKind, room.gpus) !== null) return "gpu_type";
  const within = candidates.filter(({ obstacle }) => obstacle === null || obstacle.kind === "vram");
  if (within.length >= job.numGpus) return "vram";
  return isForReserve(turn, candidates) ? "reserved" : "gpus_taken";
};

const findReservedUntil = ({ job }: Turn, candidates: readonly Candidate[]): number | null => {
  const ends = candidates
    .flatMap(({ obstacle }) => (obstacle?.kind === "reserved" ? [obstacle.reserve.reservation.until] : []))
    .toSorted((one, other) => one - other);
  const others = candidates.length - ends.length;
  const free = candidates.filter(({ obstacle }) => obstacle === null).length;
  const missing = job.numGpus - (others < job.numGpus ? others : free);
  return ends[Math.max(0, missing - 1)] ?? null;
};

const describeKeeping = ({ facts, all, now }: Scene, { job }: Turn): Keeping => {
  const keptFrom = findKeptFrom(facts, all, { job, now });
  return { keptFrom, isKeeping: keptFrom !== null && createIsPassedOver(facts, now)(job) };
};

type Taken = Extract<Blocker, { kind: "gpus_taken" }>;

const describeTaken = (scene: Scene, turn: Turn, wanted: readonly GpuState[]): Taken => {
  const candidates = wanted.map((gpu) => ({ index: gpu.index, obstacle: findObstacle(scene, turn, gpu) }));
  const reason = findTakenReason(turn, candidates);
  const reservedUntil = reason === "reserved" ? findReservedUntil(turn, candidates) : null;
  return { kind: "gpus_taken", reason, reservedUntil, ...describeKeeping(scene, turn), candidates };
};

const findShareBlocker = ({ facts }: Scene, { job, room }: Turn): Blocker | null => {
  const share = findShare(job);
  if (share === null || job.numGpus <= countShareLeft(facts, room, job)) return null;
  return { kind: "agent_limit", share, used: countGpusOf(job.user, facts.active), hasSpent: hasSpent(share, facts) };
};

const describeLack = (job: QueuedJob, fitting: number, all: readonly GpuState[]): Blocker => {
  const unfit = findUnfit(job, all);
  if (unfit === null || all.length < job.numGpus) return { kind: "too_many_gpus", present: fitting };
  return { kind: "unfit_gpus", reason: unfit.field === "vram_mib" ? "vram" : "gpu_type", fitting };
};

const findHostBlocker = (scene: Scene, turn: Turn): Blocker | null => {
  const part = bookLeastPart(turn.room, turn.job, scene.all);
  const taken = describeHostTaken(scene.facts.active, turn.room, part);
  return taken === null ? null : { ...taken, ...describeKeeping(scene, turn) };
};

const findUseBlocker = (scene: Scene, turn: Turn, wanted: readonly GpuState[]): Blocker => {
  const taken = describeTaken(scene, turn, wanted);
  const isForGpus = selectGpus(turn.job, turn.room.gpus) === null && taken.reason !== "reserved";
  return isForGpus ? taken : (findHostBlocker(scene, turn) ?? taken);
};

const findGpuBlocker = (scene: Scene, turn: Turn): Blocker => {
  const { job } = turn;
  if (scene.facts.gpus === null) return { kind: "gpus_unreadable" };
  const present = scene.all.map(({ index }) => index);
  const missing = job.requestedGpuIdxs.filter((index) => !present.includes(index));
  if (missing.length > 0) return { kind: "gpus_missing", missing, present };
  const wanted = listWantedGpus({ ...job, ignoreBlacklist: true }, scene.all);
  if (wanted.length < job.numGpus) return describeLack(job, wanted.length, scene.all);
  const allowed = listWantedGpus(job, scene.all).length;
  if (allowed >= job.numGpus) return findShareBlocker(scene, turn) ?? findUseBlocker(scene, turn, wanted);
  const blacklisted = wanted.filter(({ isBlacklisted }) => isBlacklisted).map(({ index }) => index);
  return { kind: "blacklisted", allowed, blacklisted };
};

const isCpuKeep = ({ kind, job }: Allocation): boolean => kind === "keep" && job.numGpus === 0;

const findCpuBlocker = (scene: Scene, turn: Turn): Blocker => {
  const { facts } = scene;
  const taken = turn.room.cpuSlots > 0 ? findHostBlocker(scene, turn) : null;
  if (taken !== null) return taken;
  const kept = turn.room.allocations.filter(isCpuKeep).length;
  const before = countCpuSlots(facts) - kept;
  return { kind: "cpu_limit", running: countCpuJobs(facts.active), before, kept, limit: facts.maxCpuJobs };
};

const findBlocker = (scene: Scene, turn: Turn): Blocker | null => {
  if (turn.gpuIdxs !== null || turn.ineligibility !== null) return turn.ineligibility;
  const disk = scene.facts.disk ?? null;
  if (isDiskLow(disk)) return { kind: "disk_low", disk };
  const trouble = scene.facts.trouble ?? null;
  if (trouble !== null) return { kind: "machine", trouble };
  return turn.job.numGpus === 0 ? findCpuBlocker(scene, turn) : findGpuBlocker(scene, turn);
};

/** Why each of the jobs given waits, from the same turns that decide what starts. */
export const explainWaits = function* (facts: WaitFacts, now: number, ids: ReadonlySet<JobId>): Generator<Wait, void> {
  const { gpus, active, blacklist, reserves = NO_RESERVES } = facts;
  const all = markReserved(describeGpus(gpus ?? [], active, blacklist), reserves);
  const scene = { facts, all, now };
  for (const [position, turn] of listTurns(facts, all, now).entries())
    if (ids.has(turn.job.id)) yield { job: turn.job, position, blocker: findBlocker(scene, turn) };
};
