import { setImmediate as giveWay } from "node:timers/promises";
import type { WireWait } from "../../../wire/wait.ts";
import { readQueueFacts } from "../../changes/read-queue-facts.ts";
import { readReserves } from "../../changes/read-reserves.ts";
import type { JobId, QueuedJob } from "../../core/jobs/job.ts";
import type { ProcessOwner } from "../../core/machine/host.ts";
import { decideFromHead } from "../../core/queue/decision/decide-from-head.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import { describeGpus } from "../../core/queue/gpu-selection.ts";
import { markReserved } from "../../core/queue/reservations/reservation.ts";
import { explainWaits, type Wait, type WaitFacts } from "../../core/queue/wait.ts";
import type { WaitNotes } from "../../core/queue/wait-text.ts";
import { toWireWait } from "../../core/queue/wire-wait.ts";
import type { ApiContext } from "../context.ts";

export type Explained = Readonly<{ waits: readonly Wait[]; notes: WaitNotes; facts: WaitFacts; now: number }>;

const MAX_NAMED = 10;
const SLICE = 50;
const MAX_NEEDS = 4;

const findOwners = async (
  { findProcessOwner }: ApiContext,
  gpus: readonly Gpu[],
): Promise<ReadonlyMap<number, ProcessOwner>> => {
  const pids = [...new Set(gpus.flatMap(({ processes }) => processes))];
  const owners = await Promise.all(pids.map(async (pid) => [pid, await findProcessOwner(pid)] as const));
  return new Map(owners.flatMap(([pid, owner]) => (owner === null ? [] : [[pid, owner] as const])));
};

const gatherFacts = (
  context: ApiContext,
  { gpus, disk, jobs, now }: Pick<WaitFacts, "gpus" | "disk"> & Readonly<{ jobs: readonly QueuedJob[]; now: number }>,
): WaitFacts => {
  const { store, trouble } = context;
  const blacklist = store.listBlacklist();
  const facts = { ...readQueueFacts(context, now), disk: disk ?? null, trouble: trouble.read() };
  const { active } = facts;
  const reserves = readReserves(context, now);
  const states = markReserved(describeGpus(gpus ?? [], active, blacklist), reserves);
  const deciding = decideFromHead(facts, states, { now, load: store.loadDecidingJobs }).queued;
  const waiting = new Map([...jobs, ...deciding].map((job) => [job.id, job]));
  for (const { id } of active) waiting.delete(id);
  return { ...facts, queued: [...waiting.values()], gpus, blacklist, reserves };
};

const explainInTurns = async (facts: WaitFacts, now: number, ids: ReadonlySet<JobId>): Promise<readonly Wait[]> => {
  const waits: Wait[] = [];
  for (const wait of explainWaits(facts, now, ids)) {
    waits.push(wait);
    if (waits.length % SLICE === 0) await giveWay();
  }
  return waits;
};

/** Why each of these jobs waits, as the next look at the queue would decide. Everything else has its turn meanwhile. */
export const explainQueue = async (context: ApiContext, jobs: readonly QueuedJob[]): Promise<Explained> => {
  const reading = await context.gpus.read();
  const owners = await findOwners(context, reading.ok ? reading.value : []);
  const disk = await context.readDiskRoom();
  const now = context.clock();
  const facts = gatherFacts(context, { gpus: reading.ok ? reading.value : null, disk, jobs, now });
  return {
    facts,
    now,
    waits: await explainInTurns(facts, now, new Set(jobs.map(({ id }) => id))),
    notes: {
      owners,
      gpuError: reading.ok ? null : reading.error.message,
      gpuHint: context.gpus.readHint(),
      maxPassedOverS: facts.maxPassedOverS,
      listNeeds: (id) => context.store.listNeeds(id, MAX_NEEDS),
    },
  };
};

export const describeExplained = (
  { store }: ApiContext,
  { notes }: Explained,
  wait: Wait,
): Omit<WireWait, "estimate"> => {
  const before = store.countQueuedBefore(wait.job);
  const ahead = store.loadQueuedJobs({ limit: Math.min(before, MAX_NAMED) }).map(({ id }) => id);
  return toWireWait(wait, { length: store.countJobs().queued, before, ahead }, notes);
};
