import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { createGpu, createQueued } from "../../../../tests/support/samples.ts";
import {
  createCpuJob,
  createExecutor,
  createHarness,
  handleOf,
  readMockGpus,
  refuseLaunch,
  uploadArtifact,
  wakeAll,
} from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import { err, ok } from "../../../base/result.ts";
import { beginDrain, endDrain } from "../../core/queue/drain.ts";
import type { GpuProbe } from "../../core/queue/gpu.ts";
import { createLimitsOf } from "../../core/queue/user-limits.ts";
import type { Executor } from "../../core/running/executor.ts";

describe("the tasks starts", () => {
  test("a job at once when it is woken, with its GPU, script, environment, artifact and input", async () => {
    const serverEnvironment = { PATH: "/bin", NS_API_TOKEN: "secret" };
    const { add, awaitRound, executor, find, start, store, context } = createHarness({ serverEnvironment });
    const artifactId = await uploadArtifact(store, Buffer.from("tar bytes"));
    const inputId = await uploadArtifact(store, Buffer.from("input"));
    const tasks = await start();
    await awaitRound();
    await add(createQueued("a", { artifactId, inputId, gitTag: "v1" }));
    tasks.wakes.queues();
    await waitUntil(() => find("a").status === "running");
    expect(find("a")).toMatchObject({
      status: "running",
      gpuIdxs: [0],
      startedAt: 1000,
      markedForKill: false,
      dir: context.jobDirectory.pathOf(find("a").id),
      handle: handleOf("a"),
    });
    const [launch] = executor.launches;
    expect(launch?.work.environment).toEqual({
      PATH: "/bin",
      CUDA_DEVICE_ORDER: "PCI_BUS_ID",
      CUDA_VISIBLE_DEVICES: "0",
      NEXUS_ATTEMPT: "1",
      NEXUS_JOB_ID: "a",
      NEXUS_OUTPUT_DIR: `${context.jobDirectory.pathOf(find("a").id)}/outputs`,
      NEXUS_GIT_TAG: "v1",
      GIT_CEILING_DIRECTORIES: join(context.jobDirectory.pathOf(find("a").id), ".."),
      ...{ PAGER: "cat", GIT_PAGER: "cat", GIT_TERMINAL_PROMPT: "0" },
      KEY: "value of a",
    });
    expect(launch?.work.devices).toEqual({ CUDA_VISIBLE_DEVICES: "0" });
    expect(launch?.command).toContain("python train.py");
    expect(Buffer.concat([...(launch?.work.artifact ?? [])]).toString()).toBe("tar bytes");
    expect(Buffer.concat([...(launch?.work.input ?? [])]).toString()).toBe("input");
  });

  test("all that can start in one round, GPU jobs beside CPU jobs, and no more", async () => {
    const { add, awaitRound, executor, find, start } = createHarness({
      gpus: readMockGpus(4),
      settings: { maxCpuJobs: 3 },
    });
    const gpuJobs = [1, 2, 3, 4, 5, 6].map((at) => createQueued(`g${at}`, { createdAt: at }));
    const cpuJobs = [1, 2, 3, 4, 5].map((at) => createCpuJob(`c${at}`, { createdAt: at }));
    await add(...gpuJobs, ...cpuJobs);
    await start();
    await waitUntil(() => executor.launches.length >= 7);
    await awaitRound();
    expect(executor.launches.map(({ id, gpuIdxs }) => `${id} ${gpuIdxs}`).toSorted()).toEqual([
      "c1 ",
      "c2 ",
      "c3 ",
      "g1 0",
      "g2 1",
      "g3 2",
      "g4 3",
    ]);
    expect(["g5", "g6", "c4", "c5"].map((id) => find(id).status)).toEqual(Array(4).fill("queued"));
  });

  test("a GPU job before a CPU job of its user, where only one of them may run", async () => {
    const limitsOf = createLimitsOf({ maxRunning: 1 });
    const { add, awaitRound, executor, start } = createHarness({ settings: { limitsOf } });
    await add(createCpuJob("cpu", { createdAt: 2 }), createQueued("gpu", { createdAt: 1 }));
    await start();
    await awaitRound();
    expect(executor.launches.map(({ id }) => id)).toEqual(["gpu"]);
  });

  test("at once, too, what was kept for a job that those which start put over its user's limit", async () => {
    const settings = { limitsOf: createLimitsOf({ maxGpus: 2 }), refreshRate: 600, maxPassedOver: 10 };
    const { add, executor, start } = createHarness({ gpus: readMockGpus(3), settings });
    await add(
      createQueued("first", { user: "zoe", requestedGpuIdxs: [1], priority: 1 }),
      createQueued("wide", { user: "ann", numGpus: 2, requestedGpuIdxs: [0, 1], createdAt: 1 }),
      createQueued("narrow", { user: "ann", requestedGpuIdxs: [2], createdAt: 2 }),
      createQueued("other", { user: "bob", requestedGpuIdxs: [0], createdAt: 3 }),
    );
    await start();
    await waitUntil(() => executor.launches.length === 3, "all but the wide one start");
    expect(executor.launches.map(({ id }) => id).toSorted()).toEqual(["first", "narrow", "other"]);
  });

  test("nothing while the server is drained, and all once it is not", async () => {
    const { add, awaitRound, executor, find, start, store } = createHarness({ gpus: readMockGpus(1) });
    const drain = (isDrained: boolean) =>
      store.write((transaction) => {
        const drains = transaction.readDrains();
        const wish = { why: null, until: null, by: "ann" };
        transaction.saveDrains(isDrained ? beginDrain(drains, wish, 1000) : endDrain(drains, 1000));
      });
    await drain(true);
    await add(createQueued("a"), createCpuJob("c"));
    const { wakes } = await start();
    await awaitRound();
    expect([find("a").status, find("c").status]).toEqual(["queued", "queued"]);
    await drain(false);
    wakes.queues();
    await waitUntil(() => executor.launches.length === 2);
  });

  test("the next job as soon as one has ended, without a timer", async () => {
    const { add, executor, find, start } = createHarness({ gpus: readMockGpus(1), settings: { maxCpuJobs: 1 } });
    await add(createQueued("a"), createQueued("b", { createdAt: 200 }), createCpuJob("c"), createCpuJob("d"));
    await start();
    await waitUntil(() => find("a").status === "running" && find("c").status === "running");
    executor.end("a", 0);
    executor.end("c", 0);
    await waitUntil(() => find("b").status === "running" && find("d").status === "running");
    expect(find("a").status).toBe("completed");
  });

  test("not two jobs on one GPU, nor too many CPU jobs, when it is woken while it decides", async () => {
    const wake = { now: (): void => undefined };
    const read: GpuProbe["read"] = async () => {
      wake.now();
      return ok([createGpu(0)]);
    };
    let writes = 0;
    const { add, awaitRound, executor, start } = createHarness({
      gpus: read,
      settings: { maxCpuJobs: 1 },
      store: (opened) => ({
        write: (change) => {
          writes += 1;
          return opened.write(change);
        },
      }),
    });
    const tasks = await start();
    await awaitRound();
    let wakes = 0;
    wake.now = () => {
      wakes += 1;
      if (wakes < 10) tasks.wakes.queues();
    };
    await add(createQueued("a"), createQueued("b"), createCpuJob("c"), createCpuJob("d"));
    tasks.wakes.queues();
    await waitUntil(() => executor.launches.length >= 2);
    await awaitRound();
    expect(executor.launches.map(({ id, gpuIdxs }) => `${id} ${gpuIdxs}`).toSorted()).toEqual(["a 0", "c "]);
    expect({ wakes: wakes > 1, writes }).toEqual({ wakes: true, writes: 4 });
  });

  test("nothing on a GPU that is blacklisted or used by a foreign process", async () => {
    const read: GpuProbe["read"] = async () => ok([createGpu(0, [4242]), createGpu(1), createGpu(2)]);
    const { add, awaitRound, executor, find, start, store } = createHarness({ gpus: read });
    await store.write((transaction) => transaction.setBlacklisted(1, true));
    await add(createQueued("a"), createQueued("b", { createdAt: 200 }));
    const tasks = await start();
    await waitUntil(() => find("a").status === "running");
    await awaitRound();
    expect(executor.launches.map(({ id, gpuIdxs }) => [id, gpuIdxs])).toEqual([["a", [2]]]);
    await store.write((transaction) => transaction.setBlacklisted(1, false));
    tasks.wakes.queues();
    await waitUntil(() => find("b").status === "running");
    expect(find("b")).toMatchObject({ gpuIdxs: [1] });
  });

  test("nothing on a GPU that others have taken since it was last read", async () => {
    let strangers: readonly number[] = [4242];
    const read: GpuProbe["read"] = async (maxAgeS) => ok([createGpu(0, maxAgeS === 0 ? strangers : [])]);
    const { add, awaitRound, executor, find, start } = createHarness({ gpus: read });
    await start();
    await add(createQueued("a"));
    await awaitRound();
    expect(executor.launches).toEqual([]);
    strangers = [];
    await awaitRound();
    await waitUntil(() => find("a").status === "running");
  });

  test("a job that was edited since with what it says now", async () => {
    const gate = Promise.withResolvers<void>();
    const read: GpuProbe["read"] = async () => {
      await gate.promise;
      return ok([createGpu(0), createGpu(1)]);
    };
    const { add, change, find, executor, start } = createHarness({ gpus: read });
    await add(createQueued("a"));
    await start();
    await change("a", { kind: "edit", command: "echo new", numGpus: 2 });
    gate.resolve();
    await waitUntil(() => find("a").status === "running");
    expect(find("a")).toMatchObject({ command: "echo new", gpuIdxs: [0, 1] });
    expect(executor.launches[0]?.command).toContain("echo new");
  });

  test("no job with too few GPUs, however late it was edited", async () => {
    const edit = { now: (): void => undefined };
    const { add, countRuns, change, find, start } = createHarness({
      store: (opened) => ({
        write: (write) => {
          edit.now();
          return opened.write(write);
        },
      }),
    });
    await add(createQueued("a"));
    edit.now = () => {
      edit.now = () => undefined;
      void change("a", { kind: "edit", numGpus: 2 });
    };
    const tasks = await start();
    await waitUntil(() => countRuns("queued GPU jobs") === 1);
    expect(find("a").status).toBe("queued");
    tasks.wakes.queues();
    await waitUntil(() => find("a").status === "running");
    expect(find("a")).toMatchObject({ numGpus: 2, gpuIdxs: [0, 1] });
  });
});

describe("a job that can't start", () => {
  test("is failed with the reason, and its GPU goes to the next", async () => {
    const { add, find, start } = createHarness({ gpus: readMockGpus(1), executor: { launch: refuseLaunch } });
    await add(createQueued("a"), createQueued("b", { createdAt: 200 }));
    await start();
    await waitUntil(() => find("a").status === "failed" && find("b").status === "failed");
    expect(find("a")).toMatchObject({ exitCode: null, errorMessage: "no space left" });
  });

  test("leaves nothing of the code that was unpacked for it", async () => {
    let repo = "";
    const launch: Executor["launch"] = async (job) => {
      repo = join(job.dir, "repo");
      mkdirSync(repo, { recursive: true });
      return refuseLaunch();
    };
    const { add, find, start, context } = createHarness({ executor: { launch } });
    await start();
    await add(createQueued("a"));
    wakeAll(context);
    await waitUntil(() => find("a").status === "failed");
    await waitUntil(() => !existsSync(repo));
  });

  test("because its environment is lost is failed with the reason", async () => {
    const loadEnvironment = (): never => {
      throw new Error("Unsupported state");
    };
    const { add, find, executor, start } = createHarness({ store: () => ({ loadEnvironment }) });
    await add(createQueued("a"));
    await start();
    await waitUntil(() => find("a").status === "failed");
    expect(find("a")).toMatchObject({ errorMessage: "Could not prepare the job: Unsupported state" });
    expect(executor.launches).toEqual([]);
  });

  test("because the executor breaks is failed with the reason", async () => {
    const launch = async (): Promise<never> => {
      throw new Error("broken");
    };
    const { add, find, start } = createHarness({ executor: { launch } });
    await add(createQueued("a"));
    await start();
    await waitUntil(() => find("a").status === "failed");
    expect(find("a")).toMatchObject({ errorMessage: "Could not prepare the job: broken" });
  });

  test("stays queued while the disk is full", async () => {
    let isFull = true;
    const full = err({ kind: "unavailable", message: "The disk is full" } as const);
    const { add, awaitRound, find, executor, start } = createHarness({
      store: (opened) => ({ write: (change) => (isFull ? Promise.resolve(full) : opened.write(change)) }),
    });
    await add(createQueued("a"));
    const tasks = await start();
    await awaitRound();
    expect(find("a").status).toBe("queued");
    expect(executor.launches).toEqual([]);
    isFull = false;
    tasks.wakes.queues();
    await waitUntil(() => find("a").status === "running");
  });
});

describe("a launch that is under way", () => {
  test("is not looked at, so that it is not taken back and made a second time", async () => {
    const fake = createExecutor();
    const gate = Promise.withResolvers<void>();
    const launch: Executor["launch"] = async (job, work) => {
      const launched = await fake.launch(job, work);
      await gate.promise;
      return launched;
    };
    const { add, awaitRound, find, start, context } = createHarness({ executor: { ...fake, launch } });
    await start();
    await add(createCpuJob("a"));
    wakeAll(context);
    await waitUntil(() => fake.launches.length === 1);
    await awaitRound();
    expect([[...fake.probed], find("a").status]).toEqual([[], "starting"]);
    gate.resolve();
    await waitUntil(() => find("a").status === "running");
    await awaitRound();
    expect([[...fake.probed], fake.launches.length]).toEqual([["a"], 1]);
  });
});

describe("GPUs that can't be read", () => {
  test("hold up neither CPU jobs nor endings while the driver hangs", async () => {
    const gate = Promise.withResolvers<void>();
    const read: GpuProbe["read"] = async () => {
      await gate.promise;
      return ok([]);
    };
    const { add, awaitRound, executor, find, start } = createHarness({ gpus: read });
    await add(createQueued("g"), createCpuJob("a"));
    const tasks = await start();
    await waitUntil(() => find("a").status === "running");
    executor.end("a", 3);
    await waitUntil(() => find("a").status === "failed");
    await add(createCpuJob("b"));
    tasks.wakes.queues();
    await waitUntil(() => find("b").status === "running");
    await add(createCpuJob("c"));
    tasks.wakes.queues();
    await waitUntil(() => find("c").status === "running");
    await awaitRound(["running jobs", "queued CPU jobs"]);
    expect(find("g").status).toBe("queued");
    gate.resolve();
  });

  test("start no GPU job until they can be read again", async () => {
    let isBroken = true;
    const read: GpuProbe["read"] = async () => (isBroken ? err({ message: "no driver" }) : ok([createGpu(0)]));
    const { add, awaitRound, find, start } = createHarness({ gpus: read });
    await add(createQueued("g"), createCpuJob("c"));
    const tasks = await start();
    await waitUntil(() => find("c").status === "running");
    await awaitRound();
    expect(find("g").status).toBe("queued");
    isBroken = false;
    tasks.wakes.queues();
    await waitUntil(() => find("g").status === "running");
  });
});

describe("a queue in which nothing can have changed", () => {
  const createCounting = (overrides: Parameters<typeof createHarness>[0] = {}) => {
    let reads = 0;
    const harness = createHarness({
      ...overrides,
      store: ({ loadDecidingJobs }) => ({
        loadDecidingJobs: (...asked) => {
          reads++;
          return loadDecidingJobs(...asked);
        },
      }),
    });
    return { ...harness, countReads: () => reads };
  };

  test("is not read, until a job comes, one ends, or GPUs look different", async () => {
    let gpus = [createGpu(0)];
    const { add, awaitRound, context, countReads, executor, find, start } = createCounting({
      gpus: async () => ok(gpus),
    });
    await add(createQueued("wide", { numGpus: 2 }), createCpuJob("cpu"));
    await start();
    await waitUntil(() => find("cpu").status === "running");
    await awaitRound();
    const before = countReads();
    await awaitRound();
    await awaitRound();
    expect(countReads()).toBe(before);
    await add(createQueued("new"));
    await waitUntil(() => {
      wakeAll(context);
      return find("new").status === "running";
    });
    executor.end("new", 0);
    await waitUntil(() => find("new").status === "completed");
    await awaitRound();
    const quiet = countReads();
    await awaitRound();
    expect(countReads()).toBe(quiet);
    gpus = [createGpu(0), createGpu(1)];
    await waitUntil(() => {
      wakeAll(context);
      return find("wide").status === "running";
    });
  });

  test("is read again once the machine has no more trouble", async () => {
    let trouble: string | null = "no terminal can be opened";
    const reading = { read: () => trouble, find: async () => trouble };
    const { add, awaitRound, context, countReads, find, start } = createCounting({ trouble: reading });
    await add(createCpuJob("a"));
    await start();
    await awaitRound();
    const before = countReads();
    await awaitRound();
    expect([countReads(), find("a").status]).toEqual([before, "queued"]);
    trouble = null;
    await waitUntil(() => {
      wakeAll(context);
      return find("a").status === "running";
    });
  });
});
