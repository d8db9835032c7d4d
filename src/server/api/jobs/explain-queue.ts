import { setImmediate as giveWay } from "node:timers/promises";
import type { WireWait } from "../../../wire/wait.ts";
import type { JobId, QueuedJob } from "../../core/jobs/job.ts";
import type { ProcessOwner } from "../../core/machine/host.ts";
import type { Gpu } from "../../core/queue/gpu.ts";
import { explainWaits, type Wait, type WaitFacts } from "../../core/queue/wait.ts";
import type { WaitNotes } from "../../core/queue/wait-text.ts";
import { toWireWait } from "../../core/queue/wire-wait.ts";
import type { ApiContext } from "../context.ts";

/** `order` has the ids of the whole queue, in start order. */
export type Explained = Readonly<{ waits: readonly Wait[]; order: readonly JobId[]; notes: WaitNotes }>;

const MAX_NAMED = 10;
const SLICE = 100;

const findOwners = async (
  { findProcessOwner }: ApiContext,
  gpus: readonly Gpu[],
): Promise<ReadonlyMap<number, ProcessOwner>> => {
  const pids = [...new Set(gpus.flatMap(({ processes }) => processes))];
  const owners = await Promise.all(pids.map(async (pid) => [pid, await findProcessOwner(pid)] as const));
  return new Map(owners.flatMap(([pid, owner]) => (owner === null ? [] : [[pid, owner] as const])));
};

const loadQueue = async ({ store }: ApiContext): Promise<readonly QueuedJob[]> => {
  const all = { statuses: ["queued"], limit: Number.MAX_SAFE_INTEGER, offset: 0 } as const;
  const slices = await Array.fromAsync(store.listJobs(all));
  return slices.flat().filter((job) => job.status === "queued");
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
export const explainQueue = async (context: ApiContext, ids: ReadonlySet<JobId>): Promise<Explained> => {
  const { clock, gpus, settings, store } = context;
  const reading = await gpus.read();
  const owners = await findOwners(context, reading.ok ? reading.value : []);
  const { maxCpuJobs, maxPassedOver: maxPassedOverS } = settings;
  const queued = await loadQueue(context);
  const facts = {
    queued,
    active: store.loadActiveJobs(),
    gpus: reading.ok ? reading.value : null,
    blacklist: store.listBlacklist(),
    maxCpuJobs,
    maxPassedOverS,
  };
  return {
    waits: await explainInTurns(facts, clock(), ids),
    order: queued.map(({ id }) => id),
    notes: { owners, gpuError: reading.ok ? null : reading.error.message, gpuHint: gpus.readHint(), maxPassedOverS },
  };
};

export const describeExplained = ({ order, notes }: Explained, wait: Wait): WireWait =>
  toWireWait(wait, { length: order.length, ahead: order.slice(0, Math.min(wait.position, MAX_NAMED)) }, notes);
