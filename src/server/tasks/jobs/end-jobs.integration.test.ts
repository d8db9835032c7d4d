import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createGpu, createQueued } from "../../../../tests/support/samples.ts";
import {
  createCpuJob,
  createExecutor,
  createHarness,
  type Harness,
  handleOf,
  toId,
  wakeAll,
} from "../../../../tests/support/tasks.ts";
import { waitUntil } from "../../../../tests/support/wait.ts";
import { err, ok } from "../../../base/result.ts";
import { isMoving } from "../../core/jobs/job.ts";
import type { GpuReading } from "../../core/queue/gpu.ts";
import type { Executor, Observation } from "../../core/running/executor.ts";

const makeRepo = ({ context }: Harness, id: string): string => {
  const repo = join(context.jobDirectory.pathOf(toId(id)), "repo");
  mkdirSync(repo, { recursive: true });
  writeFileSync(join(repo, "file"), "text");
  return repo;
};

describe("a job that ends", () => {
  test.each([
    [0, "completed", null],
    [3, "failed", "Job failed with exit code 3"],
    [139, "failed", "Job was terminated by signal 11 (SIGSEGV)"],
  ] as const)(
    "with exit code %p is %s at once, without its folder and the values of its variables",
    async (exitCode, ...end) => {
      const harness = createHarness();
      const { add, executor, find, setTime, start, store } = harness;
      await add(createQueued("a"));
      await start();
      await waitUntil(() => find("a").status === "running");
      const repo = makeRepo(harness, "a");
      setTime(1234);
      executor.end("a", exitCode);
      await waitUntil(() => !existsSync(repo));
      const [status, errorMessage] = end;
      expect(find("a")).toMatchObject({ status, errorMessage, exitCode, completedAt: 1234, envNames: ["KEY"] });
      expect(store.loadEnvironment(toId("a"))).toEqual({});
    },
  );

  test("after it was looked at, and before the others were, is noticed without another look being due", async () => {
    const executor = createExecutor();
    const looks = { ofRunning: 0 };
    const probe: Executor["probe"] = async (jobs) => {
      const seen = await executor.probe(jobs);
      if (jobs.some(({ status }) => status === "running") && looks.ofRunning++ === 0) executor.end("a", 0);
      return seen;
    };
    const { add, find, start } = createHarness({ executor: { ...executor, probe } });
    await add(createCpuJob("a"));
    await start();
    await waitUntil(() => find("a").status === "completed");
    expect(looks.ofRunning).toBeGreaterThan(1);
  });

  test("loses its code, one that is queued again keeps it for its next start", async () => {
    const harness = createHarness();
    const { add, change, executor, find, start } = harness;
    await add(createCpuJob("again"), createCpuJob("ends"));
    await change("again", { kind: "start", at: 1, gpuIdxs: [], dir: "/" });
    const [kept, gone] = [makeRepo(harness, "again"), makeRepo(harness, "ends")];
    await start();
    await waitUntil(() => ["again", "ends"].every((id) => find(id).status === "running"));
    executor.end("ends", 0);
    await waitUntil(() => !existsSync(gone));
    expect(existsSync(kept)).toBe(true);
  });

  test("with a failure that its log explains says so in a second sentence, without secrets", async () => {
    const log = 'Traceback (most recent call last):\n  File "t.py", line 1\nValueError: bad key value of a\n';
    const { add, executor, find, start, store } = createHarness({ log });
    await add(createQueued("a"), createQueued("b"));
    await start();
    await waitUntil(() => find("a").status === "running" && find("b").status === "running");
    expect(store.loadEnvironment(toId("a"))).toEqual({ KEY: "value of a" });
    executor.end("a", 1);
    executor.end("b", 0);
    await waitUntil(() => find("a").status === "failed" && find("b").status === "completed");
    expect(find("a")).toMatchObject({ errorMessage: "Job failed with exit code 1. ValueError: bad key ********" });
    expect(find("b")).toMatchObject({ errorMessage: null });
  });

  test("is found by the timer when nothing was noticed", async () => {
    const { add, executor, find, start } = createHarness({ settings: { refreshRate: 0.05 } });
    await add(createQueued("a"));
    await start();
    await waitUntil(() => find("a").status === "running");
    executor.place("a", { kind: "lost", reason: "Lost: the machine restarted" });
    await waitUntil(() => find("a").status === "failed");
    expect(find("a")).toMatchObject({ exitCode: null, errorMessage: "Lost: the machine restarted" });
  });

  test("leaving processes has its GPU until they are gone, which get TERM and after 10 s KILL", async () => {
    const harness = createHarness();
    const { executor, find, setTime, start } = harness;
    const tasks = await start();
    await harness.add(createQueued("a"));
    wakeAll(tasks);
    await waitUntil(() => find("a").status === "running");
    executor.end("a", 0, 1);
    await waitUntil(() => executor.kills.length === 1);
    setTime(1009.9);
    await harness.awaitRound();
    expect(executor.kills).toEqual([{ ids: ["a"], force: false }]);
    setTime(1010);
    await waitUntil(() => executor.kills.length >= 2);
    expect(executor.kills[1]).toEqual({ ids: ["a"], force: true });
    expect(find("a").status).toBe("running");
    executor.end("a", 0);
    await waitUntil(() => find("a").status === "completed");
  });

  test("while the disk is full is ended once there is room", async () => {
    let isFull = false;
    const full = err({ kind: "unavailable", message: "The disk is full" } as const);
    const harness = createHarness({
      store: (opened) => ({ write: (change) => (isFull ? Promise.resolve(full) : opened.write(change)) }),
    });
    const tasks = await harness.start();
    await harness.add(createQueued("a"));
    wakeAll(tasks);
    await waitUntil(() => harness.find("a").status === "running");
    isFull = true;
    harness.executor.end("a", 0);
    await waitUntil(() => harness.logs.some(({ event }) => event === "job could not be changed"));
    expect(harness.find("a").status).toBe("running");
    isFull = false;
    wakeAll(tasks);
    await waitUntil(() => harness.find("a").status === "completed");
  });
});

describe("what a job made", () => {
  const runStarted = async (overrides: Parameters<typeof createHarness>[0] = {}) => {
    const harness = createHarness(overrides);
    await harness.add(createQueued("a"));
    await harness.start();
    await waitUntil(() => harness.find("a").status === "running");
    const repo = makeRepo(harness, "a");
    const dir = dirname(repo);
    writeFileSync(join(dir, "started"), "");
    return { harness, dir, repo };
  };

  test("is kept when it ends, for 7 days at least, and its folder goes then", async () => {
    const { harness, dir, repo } = await runStarted();
    harness.setTime(1234);
    harness.executor.end("a", 3);
    await waitUntil(() => !existsSync(repo));
    expect(readFileSync(join(dir, "outputs/file"), "utf8")).toBe("text");
    expect(harness.find("a")).toMatchObject({
      status: "failed",
      outputs: { state: "kept", files: 1, bytes: 4, keptUntil: 1234 + 30 * 86_400 },
      notes: [],
    });
  });

  test("stays where it is and is told in one line, where it can't be kept", async () => {
    const { harness, repo, dir } = await runStarted();
    writeFileSync(join(dir, "outputs"), "in the way");
    harness.executor.end("a", 0);
    await waitUntil(() => harness.logs.some(({ event }) => event === "a job's files could not be kept"));
    await waitUntil(() => harness.find("a").notes.length > 0);
    expect(harness.find("a")).toMatchObject({
      status: "completed",
      outputs: { state: "failed" },
      notes: ["Its files could not be kept: outputs/ is no folder any more"],
    });
    expect(existsSync(join(repo, "file"))).toBe(true);
  });

  test("stays where it is while its end can't be written", async () => {
    let isFull = false;
    const full = err({ kind: "unavailable", message: "The disk is full" } as const);
    const { harness, repo, dir } = await runStarted({
      store: (opened) => ({ write: (change) => (isFull ? Promise.resolve(full) : opened.write(change)) }),
    });
    isFull = true;
    harness.executor.end("a", 0);
    await waitUntil(() => harness.logs.some(({ event }) => event === "job could not be changed"));
    await harness.awaitRound();
    expect(existsSync(join(repo, "file"))).toBe(true);
    isFull = false;
    await waitUntil(() => existsSync(join(dir, "outputs/file")) && !existsSync(repo));
  });

  test("is known again where an earlier server had kept it, and a database from before that was restored", async () => {
    const { harness, repo, dir } = await runStarted();
    rmSync(repo, { recursive: true });
    mkdirSync(join(dir, "outputs"));
    writeFileSync(join(dir, "outputs/file"), "kept");
    harness.executor.end("a", 0);
    await waitUntil(() => harness.find("a").status === "completed" && !isMoving(harness.find("a")));
    expect(harness.find("a")).toMatchObject({ outputs: { state: "kept", files: 1, bytes: 4 } });
  });

  test("is nothing where its command never started: then its folder goes", async () => {
    const { harness, repo, dir } = await runStarted();
    rmSync(join(dir, "started"));
    harness.executor.end("a", 1);
    await waitUntil(() => !existsSync(repo));
    expect(harness.find("a")).toMatchObject({ outputs: { state: "none", files: 0 } });
    expect(existsSync(join(dir, "outputs"))).toBe(false);
  });
});

describe("a job that is killed", () => {
  test("gets TERM once, all such jobs in one call, and is killed when it is gone", async () => {
    const harness = createHarness();
    const { add, change, executor, find, start } = harness;
    await add(createQueued("a"), createQueued("b"), createCpuJob("c"));
    const tasks = await start();
    await waitUntil(() => ["a", "b", "c"].every((id) => find(id).status === "running"));
    await Promise.all(["a", "c"].map((id) => change(id, { kind: "mark_for_kill" })));
    wakeAll(tasks);
    await waitUntil(() => executor.kills.length > 0);
    await harness.awaitRound();
    expect(executor.kills.map(({ ids, force }) => ({ ids: ids.toSorted(), force }))).toEqual([
      { ids: ["a", "c"], force: false },
    ]);
    executor.place("a", { kind: "lost", reason: "gone" });
    executor.end("c", 0);
    await waitUntil(() => find("a").status === "killed" && find("c").status === "completed");
    expect(find("a")).toMatchObject({ exitCode: null, errorMessage: null });
    expect(find("b").status).toBe("running");
  });

  test("gets KILL after 10 s, again and again until it is gone", async () => {
    const { add, change, executor, find, setTime, start } = createHarness();
    await add(createQueued("a"));
    const tasks = await start();
    await waitUntil(() => find("a").status === "running");
    await change("a", { kind: "mark_for_kill" });
    wakeAll(tasks);
    await waitUntil(() => executor.kills.length === 1);
    setTime(1010);
    await waitUntil(() => executor.kills.length >= 3);
    expect(executor.kills.slice(0, 3).map(({ force }) => force)).toEqual([false, true, true]);
    executor.place("a", { kind: "lost", reason: "gone" });
    await waitUntil(() => find("a").status === "killed");
  });

  test("goes on being killed when the first attempt failed", async () => {
    let attempts = 0;
    const kill = async () => {
      attempts += 1;
      return err({ message: "no permission" });
    };
    const { add, change, find, logs, setTime, start } = createHarness({ executor: { kill } });
    await add(createQueued("a"));
    const tasks = await start();
    await waitUntil(() => find("a").status === "running");
    await change("a", { kind: "mark_for_kill" });
    wakeAll(tasks);
    await waitUntil(() => attempts === 1);
    setTime(1010);
    await waitUntil(() => attempts >= 2);
    expect(logs).toContainEqual({ level: "error", event: "kill failed", fields: { message: "no permission" } });
  });
});

describe("the next server", () => {
  const SEEN: Readonly<Record<string, Observation>> = {
    alive: { kind: "alive", handle: handleOf("other") },
    exited: { kind: "exited", exitCode: 4, processesLeft: 0 },
    lost: { kind: "lost", reason: "Lost: the machine restarted" },
    unstarted: { kind: "unstarted" },
  };

  const leaveJob = async (harness: Harness, id: string, status: string): Promise<void> => {
    await harness.add(createQueued(id));
    await harness.change(id, { kind: "start", at: 500, gpuIdxs: [0], dir: "/d" });
    if (status === "running") await harness.change(id, { kind: "launch", handle: handleOf(id) });
  };

  test.each([
    ["starting", "alive", { status: "running", handle: handleOf("other"), startedAt: 500 }],
    ["starting", "exited", { status: "failed", exitCode: 4 }],
    ["starting", "lost", { status: "failed", errorMessage: "Lost: the machine restarted" }],
    ["starting", "unstarted", { status: "queued" }],
    ["running", "alive", { status: "running", handle: handleOf("a") }],
    ["running", "exited", { status: "failed", exitCode: 4 }],
    ["running", "lost", { status: "failed", errorMessage: "Lost: the machine restarted" }],
  ] as const)("finds a job that was %s and is %s", async (status, seen, expected) => {
    const harness = createHarness({ gpus: async () => err({ message: "none yet" }) });
    await leaveJob(harness, "a", status);
    harness.executor.place("a", SEEN[seen] ?? { kind: "unstarted" });
    await harness.start();
    expect(harness.find("a")).toMatchObject(expected as Partial<ReturnType<Harness["find"]>>);
    expect(harness.executor.launches).toEqual([]);
  });

  test("starts a job again that never ran, once", async () => {
    const harness = createHarness();
    await leaveJob(harness, "a", "starting");
    await harness.start();
    await waitUntil(() => harness.find("a").status === "running");
    await harness.awaitRound();
    expect(harness.executor.launches.map(({ id }) => id)).toEqual(["a"]);
  });

  test("does not start a job that a client kills while it looks for what became of it", async () => {
    const harness = createHarness({
      executor: {
        probe: async (jobs) => {
          await harness.change("a", { kind: "mark_for_kill" });
          return new Map(jobs.map((job) => [job.id, { kind: "unstarted" }]));
        },
      },
    });
    await leaveJob(harness, "a", "starting");
    const repo = makeRepo(harness, "a");
    await harness.start();
    expect(harness.find("a").status).toBe("killed");
    await waitUntil(() => !existsSync(repo));
    await harness.awaitRound();
    expect(harness.executor.launches).toEqual([]);
  });

  test("watches the jobs that it adopted, and goes on with their kill", async () => {
    const harness = createHarness();
    await leaveJob(harness, "a", "starting");
    await harness.add(createQueued("b"));
    await harness.change("b", { kind: "start", at: 500, gpuIdxs: [1], dir: "/d" });
    await harness.change("b", { kind: "launch", handle: handleOf("b") });
    await harness.change("b", { kind: "mark_for_kill" });
    for (const id of ["a", "b"]) harness.executor.place(id, { kind: "alive", handle: handleOf(id) });
    await harness.start();
    await waitUntil(() => harness.executor.kills.length === 1);
    expect(harness.executor.kills).toEqual([{ ids: ["b"], force: false }]);
    harness.executor.end("a", 0);
    await waitUntil(() => harness.find("a").status === "completed");
  });

  test("finds a job whose launch could not be written down, without a restart", async () => {
    let isFull = false;
    const full = err({ kind: "unavailable", message: "The disk is full" } as const);
    const harness: Harness = createHarness({
      executor: {},
      store: (opened) => ({ write: (change) => (isFull ? Promise.resolve(full) : opened.write(change)) }),
    });
    const tasks = await harness.start();
    await harness.add(createQueued("a"));
    const waitStarting = waitUntil(() => {
      isFull = harness.store.findJob(toId("a"))?.status === "starting";
      return isFull || harness.find("a").status === "running";
    });
    wakeAll(tasks);
    await waitStarting;
    isFull = false;
    wakeAll(tasks);
    await waitUntil(() => harness.find("a").status === "running");
    expect(harness.executor.launches).toHaveLength(1);
  });
});

describe("an Xid in the log of a job", () => {
  const LOG = "step 1\nNVRM: Xid (PCI:0000:17:00): 79, pid=4242, GPU has fallen off the bus.\n";
  const FAULT = { text: "Xid 79 in the log of job a", at: 1000 };

  const run = async (overrides: Parameters<typeof createHarness>[0], job = createQueued("a")): Promise<Harness> => {
    const harness = createHarness({ log: LOG, ...overrides });
    await harness.add(job);
    await harness.start();
    await waitUntil(() => harness.find("a").status === "running");
    return harness;
  };

  test.each([
    ["fails", 1],
    ["completes", 0],
  ] as const)("that %s speaks against each GPU that it had, by uuid, with its end", async (_how, exitCode) => {
    const harness = await run({}, createQueued("a", { numGpus: 2 }));
    harness.executor.end("a", exitCode);
    await waitUntil(() => harness.find("a").status === (exitCode === 0 ? "completed" : "failed"));
    expect(harness.store.listGpuFaults()).toEqual([
      { gpuIdx: 0, uuid: "GPU-0", ...FAULT },
      { gpuIdx: 1, uuid: "GPU-1", ...FAULT },
    ]);
    expect(harness.logs).toContainEqual({
      level: "warn",
      event: "GPUs are not handed out for an hour",
      fields: { gpus: [0, 1], job_id: "a", reason: FAULT.text },
    });
  });

  test("is remembered with the uuid that the GPU had when the job was started, though the driver no longer answers", async () => {
    let reading: GpuReading = ok([createGpu(0)]);
    const harness = await run({ gpus: async () => reading });
    reading = err({ message: "no driver" });
    harness.executor.end("a", 1);
    await waitUntil(() => harness.find("a").status === "failed");
    expect(harness.store.listGpuFaults()).toEqual([{ gpuIdx: 0, uuid: "GPU-0", ...FAULT }]);
  });

  test("that had no GPU, or another log, speaks against none", async () => {
    const cpu = await run({}, createQueued("a", { numGpus: 0 }));
    cpu.executor.end("a", 1);
    await waitUntil(() => cpu.find("a").status === "failed");
    const other = await run({ log: "CUDA out of memory" });
    other.executor.end("a", 1);
    await waitUntil(() => other.find("a").status === "failed");
    expect([...cpu.store.listGpuFaults(), ...other.store.listGpuFaults()]).toEqual([]);
  });
});
