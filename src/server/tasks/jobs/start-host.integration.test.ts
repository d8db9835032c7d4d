import { expect, test } from "bun:test";
import { createQueued } from "../../../../tests/support/samples.ts";
import { createCpuJob, createHarness, readMockGpus } from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import { err } from "../../../base/result.ts";
import type { HostRules } from "../../core/queue/booking/host-part.ts";
import type { GpuReading } from "../../core/queue/gpu.ts";
import { recordStart } from "./launch-job.ts";

const rulesOf = (cpus: number, bookCpus = false): HostRules => ({ whole: { cpus, memoryMib: 1024 }, bookCpus });

const createMachine = (host: HostRules) => createHarness({ gpus: readMockGpus(2), settings: { host, maxCpuJobs: 10 } });

test("CPU and GPU jobs take CPUs in one order, whichever kind goes first", async () => {
  const { add, awaitRound, find, start } = createMachine(rulesOf(4));
  await add(createQueued("gpu", { cpus: 3, createdAt: 1 }), createCpuJob("wide", { cpus: 2, createdAt: 2 }));
  await add(createCpuJob("small", { createdAt: 3 }), createQueued("late", { cpus: 1, createdAt: 4 }));
  await start();
  await awaitRound();
  await waitUntil(() => find("gpu").status === "running" && find("small").status === "running");
  await awaitRound();
  expect(["wide", "late"].map((id) => find(id).status)).toEqual(["queued", "queued"]);
});

test("what a GPU job books of the CPUs by book_cpus is written down with its start, and gone with its end", async () => {
  const { add, awaitRound, find, start, change } = createMachine(rulesOf(6, true));
  await add(createQueued("gpu", { createdAt: 1 }), createCpuJob("wide", { cpus: 4, createdAt: 2 }));
  await start();
  await waitUntil(() => find("gpu").status === "running");
  await awaitRound();
  expect([find("gpu"), find("wide").status]).toMatchObject([{ bookedCpus: 3 }, "queued"]);
  await change("gpu", { kind: "requeue", at: 5 });
  expect(find("gpu")).not.toHaveProperty("bookedCpus");
});

test("two decisions at once never book more than there is: the second start is left for the next look", async () => {
  const { add, context, find } = createMachine(rulesOf(4));
  const jobs = [createCpuJob("a", { cpus: 3 }), createQueued("b", { cpus: 2 }), createCpuJob("c", { memoryMib: 1024 })];
  await add(...jobs);
  await add(createCpuJob("d", { memoryMib: 1 }));
  const begin = (id: string) => {
    const job = find(id);
    if (job.status !== "queued") throw new Error(`${id} is ${job.status}`);
    return recordStart(context, { job, gpuIdxs: job.numGpus === 0 ? [] : [0], gpus: [] });
  };
  const started = await Promise.all(["a", "b", "c", "d"].map(begin));
  expect(started.map((job) => job?.id ?? null) as unknown[]).toEqual(["a", null, "c", null]);
  expect(context.store.loadActiveJobs()).toHaveLength(2);
});

test("CPU jobs don't wait for a driver that does not answer, where no GPU job books CPUs or memory", async () => {
  const { promise: answer, resolve } = Promise.withResolvers<GpuReading>();
  const { add, find, start } = createHarness({
    gpus: () => answer,
    settings: { host: rulesOf(4), maxCpuJobs: 10 },
  });
  await add(createQueued("gpu"), createCpuJob("cpu"));
  await start();
  await waitUntil(() => find("cpu").status === "running");
  expect(find("gpu").status).toBe("queued");
  resolve(err({ message: "no answer" }));
});
