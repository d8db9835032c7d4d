import { expect, test } from "bun:test";
import { createGpu, createQueued } from "../../../../tests/support/samples.ts";
import { createHarness, handleOf, toId, wakeAll } from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import { err, ok } from "../../../base/result.ts";
import type { QueuedJob } from "../../core/jobs/job.ts";
import { createMemory, type TaskContext } from "../context.ts";
import { tendRunningJobs } from "./tend-running-jobs.ts";
import { createGpuWatch } from "./watch-gpus.ts";

const BOOKED = 4096;

const begin = async (isEnforced: boolean) => {
  let usedMib = 0;
  const users = () => [{ pid: 1, memoryMib: usedMib, jobId: toId("a") }];
  const harness = createHarness({
    gpus: async () => ok([createGpu(0, [1], { users: usedMib === 0 ? [] : users(), memoryUsed: usedMib })]),
    settings: { vramEnforce: isEnforced },
  });
  const fields = { vramMib: BOOKED, notifications: ["discord" as const] };
  await harness.add(createQueued("a", { ...fields, retry: { count: 1, causes: ["oom"] } }), createQueued("b", fields));
  wakeAll(await harness.start());
  await waitUntil(() => ["a", "b"].every((id) => harness.find(id).status === "running"));
  const watch = createGpuWatch(harness.context, createMemory());
  const listTold = (): readonly string[] =>
    harness.store.outbox.listOfJob(toId("a")).map(({ subject }) => subject.event);
  return {
    ...harness,
    watch,
    listTold,
    use: (mib: number) => {
      usedMib = mib;
    },
  };
};

test("a job that has far more than it booked beside another is told once, ended and tried again for want of memory", async () => {
  const { watch, use, find, listTold, executor, context } = await begin(true);
  use(7270);
  expect(await watch()).toBe(10_000);
  expect([find("a").vramPeakMib, listTold().includes("vram_exceeded"), executor.kills]).toEqual([7270, false, []]);
  await watch();
  expect(find("a")).toMatchObject({ halt: { cause: "oom", usedMib: 7270, bookedMib: BOOKED } });
  expect(listTold().filter((event) => event === "vram_exceeded")).toHaveLength(1);
  await waitUntil(() => executor.kills.length > 0);
  executor.place("a", { kind: "lost", reason: "Lost: its session ended" });
  wakeAll(context);
  await waitUntil(() => find("a").status === "queued");
  expect(find("a").past?.attempts).toMatchObject([
    { cause: "oom", reason: "Used 7.1 GiB of GPU memory, booked 4 GiB" },
  ]);
  expect(find("a")).not.toHaveProperty("isOverBooked");
  expect(find("b").status).toBe("running");
});

test("no job is ended where the server does not enforce it", async () => {
  const { watch, use, find } = await begin(false);
  use(7270);
  await watch();
  await watch();
  await watch();
  expect(find("a")).toMatchObject({ status: "running", vramPeakMib: 7270, isOverBooked: true });
  expect(find("a")).not.toHaveProperty("halt");
});

const beginUse = async () => {
  let percent: number | null = 40;
  const harness = createHarness({ gpus: async () => ok([createGpu(0, [], { utilization: percent })]) });
  await harness.add(createQueued("a", { retry: { count: 1, causes: ["exit"] } }));
  const start = async (): Promise<void> => {
    await harness.change("a", { kind: "start", at: 1000, gpuIdxs: [0], dir: "/" });
    await harness.change("a", { kind: "launch", handle: handleOf("a") });
  };
  await start();
  const memory = createMemory();
  const watch = createGpuWatch(harness.context, memory);
  const look = async (to: number | null, times = 1): Promise<void> => {
    percent = to;
    for (let count = 0; count < times; count += 1) await watch();
  };
  const end = async (): Promise<void> => {
    harness.executor.end("a", 1);
    await tendRunningJobs(harness.context, memory);
  };
  return { ...harness, start, memory, look, end };
};

test("what a job's GPUs do is written down at the first look and then seldom", async () => {
  const { find, look, memory } = await beginUse();
  await look(40);
  expect(find("a").gpuUse).toEqual({ looks: 1, meanPercent: 40, peakPercent: 40, idleShare: 0 });
  await look(0, 29);
  await look(null);
  expect([find("a").gpuUse?.looks, memory.unwrittenUse.get(toId("a"))?.looks]).toEqual([1, 29]);
  await look(0);
  expect([find("a").gpuUse?.looks, memory.unwrittenUse.size]).toEqual([31, 0]);
  expect(find("a").gpuUse?.idleShare).toBeCloseTo(30 / 31);
});

test("what is not written down by then is with the end of each attempt, and the next goes on from there", async () => {
  const { find, look, memory, start, end } = await beginUse();
  await look(40);
  await look(0);
  await end();
  expect(find("a")).toMatchObject({ status: "queued", gpuUse: { looks: 2, meanPercent: 20 } });
  await look(100);
  expect([find("a").gpuUse?.looks, memory.unwrittenUse.size]).toEqual([2, 0]);
  await start();
  await look(60, 2);
  await end();
  expect(find("a")).toMatchObject({
    ...{ status: "failed", exitCode: 1 },
    gpuUse: { looks: 4, meanPercent: 40, peakPercent: 60, idleShare: 0.25 },
  });
});

test("a look that was begun before an attempt of the job says nothing of it", async () => {
  let during = async (): Promise<void> => undefined;
  const harness = createHarness({
    gpus: async () => {
      await during();
      return ok([createGpu(0, [], { utilization: 40 }), createGpu(1, [], { utilization: 40 })]);
    },
  });
  const start = async (id: string, at: number, gpuIdxs: readonly number[]): Promise<void> => {
    await harness.change(id, { kind: "start", at, gpuIdxs, dir: "/" });
    await harness.change(id, { kind: "launch", handle: handleOf(id) });
  };
  await harness.add(createQueued("a"), createQueued("b"));
  await start("a", 1000, [0]);
  during = async () => {
    await start("b", 1000, [1]);
    await harness.change("a", { kind: "requeue", at: 1001 });
    await start("a", 1002, [0]);
    during = async () => undefined;
  };
  const watch = createGpuWatch(harness.context, createMemory());
  const listLooks = () => ["a", "b"].map((id) => harness.find(id).gpuUse?.looks);
  await watch();
  expect(listLooks()).toEqual([undefined, undefined]);
  await watch();
  expect(listLooks()).toEqual([1, 1]);
});

const beginIdle = async (fields: Partial<QueuedJob>, settings: Partial<TaskContext["settings"]> = {}) => {
  let percents: readonly (number | null)[] | null = [0, 0];
  let now = 1000;
  const harness = createHarness({
    gpus: async () =>
      percents === null
        ? err({ message: "no driver" })
        : ok(percents.map((utilization, index) => createGpu(index, [], { utilization }))),
    settings,
  });
  await harness.add(createQueued("a", { numGpus: 2, notifications: ["discord"], ...fields }));
  await harness.change("a", { kind: "start", at: 1000, gpuIdxs: [0, 1], dir: "/" });
  await harness.change("a", { kind: "launch", handle: handleOf("a") });
  const watch = createGpuWatch(harness.context, createMemory());
  const look = async (to: readonly (number | null)[] | null, times = 1, stepS = 10): Promise<void> => {
    percents = to;
    for (let count = 0; count < times; count += 1) {
      now += stepS;
      harness.setTime(now);
      await watch();
    }
  };
  const countTold = (): number =>
    harness.store.outbox.listOfJob(toId("a")).filter(({ subject }) => subject.event === "gpus_idle").length;
  return { ...harness, look, countTold };
};

test("a job that leaves all of its GPUs idle is told of once, and ended at its limit", async () => {
  const { look, find, countTold } = await beginIdle({ maxIdleS: 60 });
  await look([0, 0.9], 4);
  expect([countTold(), find("a")]).toMatchObject([1, { toldStalls: { idle: { forS: 30, limitS: 60 } } }]);
  await look([0, 0], 2);
  expect(find("a")).not.toHaveProperty("halt");
  await look([0, 0]);
  expect([countTold(), find("a")]).toMatchObject([1, { halt: { cause: "idle", limitS: 60 } }]);
});

test.each([
  ["one of them does something", [0, 1], 10, 6],
  ["one is not known", [0, null], 10, 6],
  ["the driver does not answer", null, 10, 6],
  ["nobody looked", [0, 0], 31, 5],
] as const)("where %s the time begins anew", async (_what, percents, stepS, more) => {
  const { look, find } = await beginIdle({ maxIdleS: 60 });
  await look([0, 0], 6);
  await look(percents, 1, stepS);
  await look([0, 0], more);
  expect(find("a")).toHaveProperty("status", "running");
  expect("halt" in find("a")).toBe(false);
  await look([0, 0]);
  expect("halt" in find("a")).toBe(true);
});

test("the server's limit holds for a job that says nothing, and a job's own wins over it", async () => {
  const settings = { idleWarn: "20s", idleEnd: "40s" };
  const usual = await beginIdle({}, settings);
  await usual.look([0, 0], 3);
  expect(usual.find("a")).toMatchObject({ toldStalls: { idle: { forS: 20, limitS: 40 } } });
  await usual.look([0, 0], 2);
  expect(usual.find("a")).toMatchObject({ halt: { cause: "idle", limitS: 40 } });
  const own = await beginIdle({ maxIdleS: 80 }, settings);
  await own.look([0, 0], 8);
  expect(own.find("a")).not.toHaveProperty("halt");
  const none = await beginIdle({});
  await none.look([0, 0], 20);
  expect(none.find("a")).not.toHaveProperty("toldStalls");
});
