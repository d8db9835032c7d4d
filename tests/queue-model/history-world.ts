import { ok } from "../../src/base/result.ts";
import { changeJob, type Decide, decideByEvent } from "../../src/server/changes/change-job.ts";
import type { Caller } from "../../src/server/changes/context.ts";
import { decideEdit } from "../../src/server/changes/edit-job.ts";
import { readReserves } from "../../src/server/changes/read-reserves.ts";
import { createSubmitJobs } from "../../src/server/changes/submit-jobs.ts";
import { listPast } from "../../src/server/core/jobs/attempt.ts";
import { type ActiveJob, isActive, type Job } from "../../src/server/core/jobs/job.ts";
import type { HostRules } from "../../src/server/core/queue/booking/host-part.ts";
import { beginDrain, endDrain, NO_DRAINS } from "../../src/server/core/queue/drain.ts";
import type { Gpu, GpuUser } from "../../src/server/core/queue/gpu.ts";
import { checkReservation } from "../../src/server/core/queue/reservations/check-reservation.ts";
import { createLimitsOf } from "../../src/server/core/queue/user-limits.ts";
import type { WaitFacts } from "../../src/server/core/queue/wait.ts";
import { createMemory } from "../../src/server/tasks/context.ts";
import { openTurns } from "../../src/server/tasks/jobs/open-turns.ts";
import { startCpuJobs, startGpuJobs } from "../../src/server/tasks/jobs/start-queued-jobs.ts";
import { tendRunningJobs } from "../../src/server/tasks/jobs/tend-running-jobs.ts";
import { createAlarm } from "../../src/tools/alarm.ts";
import { jobPatchSchema, jobRequestSchema } from "../../src/wire/job.ts";
import { createGpu } from "../support/samples.ts";
import { createHarness, type Harness, must, settle, toId } from "../support/tasks.ts";
import { waitUntil } from "../support/wait.ts";
import { type Act, type Asked, GPU_SIZES, type GpuFate } from "./acts.ts";

/** A job as it was asked for, with the ids of those that it is to wait for. */
export type Plan = Asked & Readonly<{ needs: readonly string[]; needsAny: readonly string[] }>;

/** A server's store and tasks on a machine that does as it is told; time passes only when it is told to. */
export type HistoryWorld = Readonly<{
  act: (act: Act) => Promise<void>;
  tend: () => Promise<void>;
  startAll: () => Promise<readonly ActiveJob[]>;
  readFacts: () => WaitFacts;
  readTime: () => number;
  pass: (seconds: number) => void;
  find: (id: string) => Job | null;
  plans: ReadonlyMap<string, Plan>;
  endRunning: () => Promise<void>;
  calm: () => Promise<void>;
  clear: () => Promise<void>;
}>;

export const PASSED_OVER_S = 1000;
const MAX_CPU_JOBS = 2;
const FOREIGN: GpuUser = { pid: 99_999, memoryMib: 500, jobId: null };
const LOOKS = 3;
const HOST: HostRules = { whole: { cpus: 6, memoryMib: 16_384 }, bookCpus: false };
export const RESERVE_RULES = { maxReserved: 3, marginS: 300 };

type Machine = {
  time: number;
  submitted: number;
  readonly fates: Map<number, GpuFate>;
  readonly uses: Map<string, number | null>;
  readonly plans: Map<string, Plan>;
};

export const limitsOf = createLimitsOf({
  users: [
    { name: "bob", maxRunning: 2 },
    { name: "cy", maxGpus: 1 },
  ],
});

const seeGpu = ({ fates, uses }: Machine, active: readonly ActiveJob[], index: number): Gpu => {
  const fate = fates.get(index);
  const own = active.flatMap(({ id, gpuIdxs }, at): readonly GpuUser[] =>
    gpuIdxs.includes(index) ? [{ pid: at + 1, memoryMib: uses.get(id) ?? 0, jobId: id }] : [],
  );
  const users = fate === "foreign" ? [...own, FOREIGN] : own;
  return createGpu(
    index,
    users.map(({ pid }) => pid),
    {
      name: index === 2 ? "NVIDIA A100" : "NVIDIA L4",
      memoryTotal: GPU_SIZES[index] ?? 0,
      memoryUsed: users.reduce((all, { memoryMib }) => all + (memoryMib ?? 0), 0),
      users,
      fault: fate === "lost" ? "GPU is lost" : null,
    },
  );
};

const listGpus = (machine: Machine, { store }: Pick<Harness, "store">): readonly Gpu[] =>
  GPU_SIZES.map((_, index) => seeGpu(machine, store.loadActiveJobs(), index));

const toRequest = (
  asked: Asked,
  { needs, needsAny, now }: Readonly<{ needs: readonly string[]; needsAny: readonly string[]; now: number }>,
) =>
  jobRequestSchema.parse({
    command: "python train.py",
    user: asked.user,
    num_gpus: asked.numGpus,
    gpu_idxs: asked.gpuIdxs.length === 0 ? null : asked.gpuIdxs,
    priority: asked.priority,
    vram_mib: asked.vramMib,
    min_vram_mib: asked.minVramMib,
    gpu_type: asked.gpuType,
    held: asked.isHeld,
    begin_at: asked.beginInS === null ? null : now + asked.beginInS,
    after: needs,
    after_any: needsAny,
    retry: { count: asked.retries, causes: ["exit", "machine"] },
    time_limit_s: asked.timeLimitS,
    no_passing: asked.noPassing,
    ...{ cpus: asked.cpus, memory_mib: asked.memoryMib },
  });

const decideRemoval =
  (at: number): Decide =>
  (job, transaction) =>
    job.status === "queued" && listPast(job).length === 0
      ? ok({ after: null, reason: "removed" })
      : decideByEvent({ kind: "give_up", at })(job, transaction);

const chooseBatchMax = (jobs: readonly Asked[]): number | null => {
  return jobs.length > 1 ? (jobs[0]?.batchMax ?? null) : null;
};

const endAs = ({ executor, store }: Harness, id: string, code: number): void => {
  if (store.loadActiveJobs().some((job) => job.id === id)) executor.end(id, code);
};

/** One for all histories of a test: it is cleared between them. */
export const createHistoryWorld = (): HistoryWorld => {
  const machine: Machine = { time: 1000, submitted: 0, fates: new Map(), uses: new Map(), plans: new Map() };
  const harness: Harness = createHarness({
    gpus: async () => ok(listGpus(machine, harness)),
    executor: {
      kill: async (jobs) => {
        for (const { id } of jobs) harness.executor.place(id, { kind: "lost", reason: "Lost: its session is gone" });
        return ok(undefined);
      },
    },
    settings: {
      maxCpuJobs: MAX_CPU_JOBS,
      maxPassedOver: PASSED_OVER_S,
      limitsOf,
      reserveRules: RESERVE_RULES,
      host: HOST,
    },
  });
  const { context, store, executor } = harness;
  const memory = createMemory();
  const caller: Caller = { log: context.log, name: "ann", isAdmin: true };
  const submitJobs = createSubmitJobs({
    ...context,
    newJobId: () => toId(`j${++machine.submitted}`),
    settings: { host: HOST, maxQueued: 1000, maxQueuedInAll: 1000, limitsOf, nodeName: "atlas" },
  });
  const choose = (which: number): string =>
    [...machine.plans.keys()].at(-1 - (which % Math.max(1, machine.plans.size))) ?? "none";
  const change = (which: number, decide: Decide) => changeJob(context, toId(choose(which)), decide);
  const describeEdit = (patch: object): Parameters<typeof decideEdit>[0] => ({
    ...{ patch: jobPatchSchema.parse(patch), caller, now: machine.time },
    ...{ gpus: listGpus(machine, harness), limitsOf, host: HOST },
  });
  const edit = (which: number, patch: object) => change(which, decideEdit(describeEdit(patch)));
  const nameAll = (all: readonly number[]): readonly string[] =>
    machine.plans.size === 0 ? [] : [...new Set(all.map(choose))].filter((id) => store.findJob(toId(id)) !== null);

  const submit = async (jobs: readonly Asked[]): Promise<void> => {
    const plans = jobs.map(
      (asked): Plan => ({ ...asked, needs: nameAll(asked.after), needsAny: nameAll(asked.afterAny) }),
    );
    const batchMax = chooseBatchMax(jobs);
    const requests = plans.map((plan) => ({ ...toRequest(plan, { ...plan, now: machine.time }), batch_max: batchMax }));
    const submitted = await submitJobs(requests, () => [], caller);
    if (!submitted.ok) return;
    for (const [index, { id }] of submitted.value.jobs.entries()) {
      const plan = plans[index];
      if (plan !== undefined) machine.plans.set(id, plan);
    }
  };

  const saveDrains = async (decide: typeof endDrain): Promise<void> => {
    must(await store.write((transaction) => transaction.saveDrains(decide(transaction.readDrains(), machine.time))));
  };

  const reserve = async ({ index, user, inS, forS }: Extract<Act, { kind: "reserve" }>): Promise<void> => {
    const from = machine.time + inS;
    const wish = { user, gpuIdxs: [index], from, until: from + forS, why: null };
    const lasting = store.listReservations();
    if (!checkReservation(wish, { lasting, maxReserved: null }).ok) return;
    must(await store.write((transaction) => transaction.insertReservation({ ...wish, id: `s${++machine.submitted}` })));
  };

  const setFate = async (index: number, fate: GpuFate): Promise<void> => {
    machine.fates.set(index, fate);
    must(await store.write((transaction) => transaction.setBlacklisted(index, fate === "blacklisted")));
  };

  const act = async (given: Act): Promise<void> => {
    switch (given.kind) {
      case "submit":
        return submit(given.jobs);
      case "hold":
      case "release":
        return void (await edit(given.which, { held: given.kind === "hold" }));
      case "move":
        return void (await edit(given.which, { priority: given.priority }));
      case "begin":
        return void (await edit(given.which, { begin_at: given.inS === null ? null : machine.time + given.inS }));
      case "remove":
        return void (await change(given.which, decideRemoval(machine.time)));
      case "kill":
        return void (await change(given.which, decideByEvent({ kind: "mark_for_kill", by: "ann" })));
      case "end":
      case "fail":
        return endAs(harness, choose(given.which), given.kind === "end" ? 0 : 1);
      case "lose":
        return executor.place(choose(given.which), { kind: "lost", reason: "Lost: the machine restarted" });
      case "use":
        return void machine.uses.set(choose(given.which), given.mib);
      case "drain":
        return saveDrains((drains, now) =>
          beginDrain(drains, { why: null, until: given.forS === null ? null : now + given.forS, by: "ann" }, now),
        );
      case "resume":
        return saveDrains(endDrain);
      case "reserve":
        return reserve(given);
      case "gpu":
        return setFate(given.index, given.is);
      case "pass":
        return;
    }
  };

  const tend = async (): Promise<void> => {
    for (let look = 0; look < LOOKS; look += 1) {
      await tendRunningJobs(context, memory);
      await settle();
    }
    await openTurns(context, { cpuQueue: createAlarm(), gpuQueue: createAlarm() });
  };

  const startAll = async (): Promise<readonly ActiveJob[]> => {
    const before = executor.launches.length;
    await startCpuJobs(context, memory);
    await startGpuJobs(context, memory);
    await waitUntil(() => memory.launching.size === 0);
    return executor.launches.slice(before).flatMap(({ id }) => {
      const job = store.findJob(toId(id));
      return job !== null && isActive(job) ? [job] : [];
    });
  };

  const readFacts = (): WaitFacts => ({
    queued: store.loadQueuedJobs(),
    active: store.loadActiveJobs(),
    gpus: listGpus(machine, harness),
    blacklist: store.listBlacklist(),
    maxCpuJobs: MAX_CPU_JOBS,
    maxPassedOverS: PASSED_OVER_S,
    drains: store.readDrains(),
    limitsOf,
    reserves: readReserves(context, machine.time),
    host: HOST,
  });

  const calm = async (): Promise<void> => {
    await saveDrains(endDrain);
    for (const [index] of GPU_SIZES.entries()) await setFate(index, "well");
    for (const { id } of store.loadQueuedJobs())
      await changeJob(context, id, decideEdit(describeEdit({ held: false })));
    machine.uses.clear();
  };

  const clear = async (): Promise<void> => {
    machine.plans.clear();
    machine.uses.clear();
    machine.fates.clear();
    memory.killedSince.clear();
    const left = [...store.loadQueuedJobs(), ...store.loadActiveJobs()];
    const cleared = store.write((transaction) => {
      for (const { id } of left) {
        transaction.setNeeds(id, []);
        transaction.deleteJob(id);
      }
      for (const index of store.listBlacklist()) transaction.setBlacklisted(index, false);
      for (const { id } of store.listReservations()) transaction.deleteReservation(id);
      transaction.saveDrains(NO_DRAINS);
    });
    must(await cleared);
  };

  return {
    ...{ act, tend, startAll, readFacts, calm, clear },
    endRunning: async () => {
      for (const { id } of store.loadActiveJobs()) executor.end(id, 0);
    },
    readTime: () => machine.time,
    pass: (seconds) => {
      machine.time += seconds;
      harness.setTime(machine.time);
    },
    find: (id) => store.findJob(toId(id)),
    plans: machine.plans,
  };
};
